"""A shop's view of its carts, kept by several threads: a process to be run by an actor, who may be killed in it."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from typing import Any, Literal
from zlib import crc32

from confluent_kafka import Message, TopicPartition

from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.batches import NAMED, batches, member
from eventlab.pitfalls.book import Book
from eventlab.pitfalls.record import Fact

Threads = Literal["pool", "lane per cart"]
Commit = Literal["highest", "watermark"]

THREADS = 8
_BATCH = 100


class Crew:
    """Threads that take events from queues and apply them: all from one, or each from its own, its lane.

    Some events need an answer from a service that is slow. It gives none before :meth:`answer`.
    """

    def __init__(self, threads: Threads, slow: Collection[str], apply: Callable[[Message], None]) -> None:
        self._slow, self._apply = slow, apply
        shared: deque[Message] = deque()
        self._lanes = [shared if threads == "pool" else deque[Message]() for _ in range(THREADS)]
        self._turn = threading.Condition()
        self._resting: list[deque[Message]] = []  # the lane of each thread that waits for work
        self._asking = 0  # threads that wait for the slow service
        self._answers = self._over = False
        self.done: list[int] = []  # offsets, in the order in which they were done
        self._threads = [threading.Thread(target=self._work, args=[lane], daemon=True) for lane in self._lanes]
        for thread in self._threads:
            thread.start()

    def hand_out(self, message: Message) -> None:
        """Put an event into the lane of its cart; in a pool that is the same for all."""
        with self._turn:
            self._lanes[crc32(message.key()) % THREADS].append(message)
            self._turn.notify_all()

    def until_stuck(self) -> None:
        """Wait until nothing can be done any more before the slow service answers."""
        with self._turn:
            self._turn.wait_for(lambda: len(self._resting) + self._asking == THREADS and not any(self._resting))

    def answer(self) -> None:
        """Let the slow service answer, and the threads do all there is, and end."""
        with self._turn:
            self._answers = self._over = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, lane: deque[Message]) -> None:
        while (message := self._next(lane)) is not None:
            if Fact.of(message.value()).id in self._slow:
                self._ask()
            with self._turn:  # the view has one connection, so they take turns in writing
                self._apply(message)
                self.done.append(message.offset())

    def _next(self, lane: deque[Message]) -> Message | None:
        with self._turn:
            self._resting.append(lane)
            self._turn.notify_all()
            self._turn.wait_for(lambda: lane or self._over)
            self._resting.remove(lane)
            return lane.popleft() if lane else None

    def _ask(self) -> None:
        with self._turn:
            self._asking += 1
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._answers)
            self._asking -= 1


def view_carts(
    tell: Tell,
    *,
    config: Mapping[str, Any],
    topic: str,
    group: str,
    book: str,
    threads: Threads,
    commit: Commit,
    slow: Collection[str],
) -> None:
    """Keep the view with a crew, of events that it does not know yet. It stands still at ``committed``.

    There all is done but the events in ``slow`` (their ids), which need the slow service, and what waits for them.
    ``commit``: which offset it has committed by then. Behind the highest that is done, or behind the last one up to
    which all is done.
    """
    consumer = member(config, group, **NAMED)
    with closing(Book(book)) as view:

        def apply(message: Message) -> None:
            if not view.knows(message):
                view.apply(message)

        crew = Crew(threads, slow, apply)
        first = None
        for batch in batches(consumer, topic, _BATCH):
            first = batch[0].offset() if first is None else first
            for message in batch:
                crew.hand_out(message)
        crew.until_stuck()
        for _ in ("the slow service asked", "all done"):
            if first is not None and crew.done:
                next_ = max(crew.done) + 1 if commit == "highest" else watermark(first, crew.done)
                consumer.commit(offsets=[TopicPartition(topic, 0, next_)], asynchronous=False)
            tell("committed")
            crew.answer()
    consumer.close()


def watermark(first: int, done: Collection[int]) -> int:
    """The offset up to which all is done, of a partition that was read from ``first`` on."""
    there = set(done)
    while first in there:
        first += 1
    return first
