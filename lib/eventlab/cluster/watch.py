"""Who led a partition, which copies were in sync and which brokers ran: looked at while something happens."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from eventlab.cluster import clients
from eventlab.cluster.errors import LabError
from eventlab.cluster.kafka import Kafka

_INTERVAL_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0  # the slowest fail-over on an idle machine takes 6 s
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 0.5  # a broker that is paused answers never; the next question goes to another one


@dataclass(frozen=True, slots=True)
class Sample:
    """One look, begun ``seconds`` after the watch was.

    ``brokers``: for each broker whether its process is ``running``, ``paused`` or ``dead``. ``replicas``, ``leader``
    (None: nobody) and ``in_sync`` are what a broker said that answered, or the last word of one if none did. It is what
    the cluster believes, and it may believe in a broker that is dead.
    """

    seconds: float
    brokers: Mapping[int, str]
    replicas: frozenset[int] = frozenset()
    leader: int | None = None
    in_sync: frozenset[int] = frozenset()

    def role(self, broker: int) -> str:
        """What the cluster takes ``broker`` for: ``leader``, ``in sync``, ``out of sync``, or ``no copy`` for none."""
        if broker == self.leader:
            return "leader"
        if broker not in self.replicas:
            return "no copy"
        return "in sync" if broker in self.in_sync else "out of sync"

    @property
    def led(self) -> bool:
        """Whether there is a leader, and it runs."""
        return self.leader is not None and self.brokers.get(self.leader) == "running"

    @property
    def whole(self) -> bool:
        """Whether it is led, and every copy is in sync."""
        return self.led and self.in_sync == self.replicas


@dataclass(frozen=True)
class Timeline:
    """What a watch saw: its samples, and what was noted meanwhile, as ``(seconds, text)``."""

    samples: tuple[Sample, ...] = ()
    notes: tuple[tuple[float, str], ...] = ()

    @property
    def leaderless(self) -> float:
        """For how many seconds at a stretch the partition had no leader that runs, at most."""
        longest, since = 0.0, None
        for sample in self.samples:
            if since is not None:
                longest = max(longest, sample.seconds - since)
            if sample.led:
                since = None
            elif since is None:
                since = sample.seconds
        return longest

    def last(self, seconds: float) -> "Timeline":
        """What was seen and noted in the last so many seconds."""
        since = self.samples[-1].seconds - seconds
        return Timeline(
            tuple(sample for sample in self.samples if sample.seconds >= since),
            tuple(note for note in self.notes if note[0] >= since),
        )


class Watch:
    """Looks at partition 0 of ``topic`` ten times a second, in a thread, for the length of a ``with`` block.

    Raises NeedsEmbeddedLab on a cluster that the lab did not start: elsewhere, nobody can look at the processes.
    """

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._kafka, self._topic = kafka, topic
        self._admin = clients.admin(kafka.config(**{"socket.timeout.ms": round(1000 * _ANSWER_SECONDS)}))
        self._began = time.monotonic()
        self._samples = [self._look(Sample(0, {}))]
        self._notes: list[tuple[float, str]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    @property
    def timeline(self) -> Timeline:
        """What it has seen so far."""
        return Timeline(tuple(self._samples), tuple(self._notes))

    def note(self, text: str) -> None:
        """Write ``text`` down for this moment."""
        self._notes.append((self._now, text))

    def until(self, condition: Callable[[Sample], bool], seconds: float = _PATIENCE_SECONDS) -> Sample:
        """Wait for a look, begun from now on, for which ``condition`` holds. Raises LabError if none comes in time."""
        since = self._now
        while (seen := self._samples[-1]).seconds < since or not condition(seen):
            if self._now > since + seconds:
                raise LabError(f"What was waited for did not happen within {seconds:g} s; the last look: {seen}.")
            time.sleep(_POLL_SECONDS)
        return seen

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    def _look_on(self) -> None:
        while not self._over.wait(_INTERVAL_SECONDS):
            self._samples.append(self._look(self._samples[-1]))

    def _look(self, before: Sample) -> Sample:
        from confluent_kafka import KafkaException

        now = self._now
        seen = replace(before, seconds=now, brokers={broker.id: broker.state for broker in self._kafka.brokers})
        with contextlib.suppress(KafkaException, KeyError):
            found = self._admin.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic].partitions[0]
            leader = None if found.leader == -1 else found.leader
            return replace(seen, replicas=frozenset(found.replicas), leader=leader, in_sync=frozenset(found.isrs))
        return seen
