"""A producer that writes while a learner does to three brokers what they like; then everything is counted."""

import threading
from contextlib import ExitStack
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.cluster.health import heal
from eventlab.cluster.watch import Timeline, Watch
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.failover import Failover
from eventlab.pitfalls.history import History
from eventlab.pitfalls.payments import payments
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.topics import read

_INTERVAL_SECONDS = 0.1  # from one payment to the next
_MOST = 6_000  # payments: ten minutes, should a learner forget to stop
_PATIENCE_SECONDS = 60.0

Acks = Literal["1", "all"]


class LiveBrokers:
    """Begins at once: a topic with three copies of which two have to be in sync, ten payments a second, a watch.

    Raises NeedsEmbeddedLab on a cluster that the lab did not start.
    """

    def __init__(self, kafka: Kafka, acks: Acks) -> None:
        heal(kafka)
        self._kafka = kafka
        self._topic = kafka.topic("payments", replication=3, min_insync_replicas=2)
        self._open = ExitStack()
        self._watch = self._open.enter_context(Watch(kafka, self._topic))
        self._shop = self._open.enter_context(Sender(self._topic, kafka.config(acks=acks)))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        for fact in payments(_MOST, seed=7):
            self._shop.send([fact])
            self._shop.settle(0)
            if self._over.wait(_INTERVAL_SECONDS):
                return

    @property
    def timeline(self) -> Timeline:
        """What the watch has seen so far."""
        return self._watch.timeline

    @property
    def acknowledged(self) -> tuple[int, int]:
        """How many payments were acknowledged so far, and how many were sent."""
        sent = self._shop.sent
        return sum(attempt.status == "ok" for attempt in sent), len(sent)

    def do(self, action: str, broker: int) -> None:
        """``kill``, ``pause``, ``resume`` or ``restart`` this broker. Raises LabError when that cannot be done."""
        [found] = [each for each in self._kafka.brokers if each.id == broker]
        getattr(found, action)()

    def stop(self) -> Failover:
        """End the writing, have all brokers run, wait for what is still on its way, and count what a reader misses."""
        self._over.set()
        self._thread.join()
        with self._open:
            heal(self._kafka)
            self._shop.flush(_PATIENCE_SECONDS)
        history = History(read(self._kafka, self._topic), self._shop.sent)
        return Failover(history, lost_writes, "acknowledged payments are lost", timeline=self._watch.timeline)
