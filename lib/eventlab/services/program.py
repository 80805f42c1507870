"""One service, in a process of its own: follows a topic as a consumer group and keeps a view in an SQLite file.

Started as a script by :class:`eventlab.services.process.Service`. Its input: a line of JSON, :class:`Options`. Its
output: its process id, then ``ready`` once the broker has given it its partitions. Why it stopped is the last line on
stderr.
"""

import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from eventlab import settings
from eventlab.events.errors import EventError
from eventlab.services.contract import Broken
from eventlab.services.team import Event, Handler, Team
from eventlab.services.teams import TEAMS
from eventlab.services.translator import PUBLISHES

_PATIENCE_SECONDS = 30
_BATCH = 500  # records in one transaction
_POLL_SECONDS = 0.1  # how often it looks up while nothing comes
_CHECKPOINT = "CREATE TABLE IF NOT EXISTS checkpoint (partition INTEGER PRIMARY KEY, offset INTEGER NOT NULL)"
# Where it stands is in its view; the group is told for those who watch the lag.
_CONSUMER = {"fetch.wait.max.ms": 10, "enable.partition.eof": False}


class Options(msgspec.Struct, kw_only=True):
    """What a service is told when it starts. ``member`` is its name in the group: the same one after a restart.

    ``config`` are the settings of every client; ``publishes`` is the topic for what the handlers give back.
    """

    team: str
    edition: str
    config: dict[str, Any]
    topic: str
    group: str
    member: str
    view: str
    publishes: str = ""


def open_view(options: Options) -> sqlite3.Connection:
    """The view of a service, made if it is not there."""
    view = sqlite3.connect(options.view, isolation_level=None)
    view.execute("PRAGMA journal_mode = WAL")  # whoever reads it does not wait, nor does the service
    view.execute("PRAGMA synchronous = NORMAL")
    view.executescript(f"{_CHECKPOINT}; {TEAMS[options.team].tables}")
    return view


class Stopped(Exception):
    """The service cannot go on; its view is whole up to the event that it names."""


class Service:
    """The loop: a batch of records, the rows and the offsets that follow from them, in one transaction."""

    def __init__(self, options: Options) -> None:
        self._team: Team = TEAMS[options.team]
        self._handlers: Mapping[str, Handler] = self._team.editions[options.edition]
        self._options = options
        self._view = open_view(options)
        self._told: dict[int, int] = {}
        self._assigned = False
        self._producer = Producer({**options.config, **settings.producer()}) if options.publishes else None
        # A member that the broker knows by name takes its place again at once. Without a name, the group would wait
        # until the killed one has missed its heartbeats.
        member = {**_CONSUMER, "group.instance.id": options.member}
        self._consumer = Consumer({**options.config, **settings.consumer(options.group, **member)})

    def run(self) -> None:
        """For ever. Raises Stopped."""
        self._consumer.subscribe([self._options.topic], on_assign=self._begin)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            first = self._consumer.poll(_POLL_SECONDS)
            if first is not None:
                self._apply([first, *self._consumer.consume(_BATCH - 1, 0)])
            elif not self._assigned and time.monotonic() > deadline:
                raise Stopped(f"the group {self._options.group} got no partition within {_PATIENCE_SECONDS} s")
            self._tell()

    def _begin(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on where the view stands, whatever the group remembers."""
        stands = self._stands()
        for each in partitions:
            each.offset = stands.get(each.partition, 0)
        consumer.assign(partitions)
        if not self._assigned:
            say("ready")
        self._assigned = True

    def _stands(self) -> dict[int, int]:
        return dict(self._view.execute("SELECT partition, offset FROM checkpoint"))

    def _apply(self, messages: Iterable[Message]) -> None:
        """All of ``messages``, or those before the one that stops the service."""
        self._view.execute("BEGIN IMMEDIATE")
        stands, stopped = self._stands(), None
        try:
            for message in messages:
                if (error := message.error()) is not None:
                    raise Stopped(f"{self._options.topic} cannot be read: {error.str()}")
                # A twin that was thought dead may have handled it: the view knows.
                if message.offset() < stands.get(message.partition(), 0):
                    continue
                self._handle(message)
                stands[message.partition()] = message.offset() + 1
        except Stopped as reason:
            stopped = reason
        self._view.executemany("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", stands.items())
        self._published()
        self._view.execute("COMMIT")
        if stopped:
            self._tell()
            raise stopped

    def _handle(self, message: Message) -> None:
        event = _event(message)
        handler = self._handlers.get(event.type)
        where = f"partition {message.partition()}, offset {message.offset()}"
        if handler is None:
            if self._team.unknown == "stop":
                raise Stopped(f"stopped before {event.key}, {where}: no handler for {event.type!r}")
            return
        self._view.execute("SAVEPOINT event")
        try:
            result = handler(self._view, event)
        except (Broken, EventError, LookupError, TypeError, ValueError, sqlite3.Error) as error:
            self._view.execute("ROLLBACK TO event")
            raise Stopped(f"stopped before {event.key}, {where}: {type(error).__name__}: {error}") from error
        finally:
            self._view.execute("RELEASE event")
        if result is not None and self._producer is not None:
            self._producer.produce(
                self._options.publishes, result, event.key, headers={"type": PUBLISHES}, on_delivery=_delivered
            )

    def _published(self) -> None:
        """Before the commit: a crash in between publishes the same orders again, a crash before it none too few."""
        if self._producer is not None and self._producer.flush(_PATIENCE_SECONDS):
            raise Stopped(f"{self._options.publishes} did not acknowledge what was published")

    def _tell(self) -> None:
        stands = self._stands()
        if self._assigned and stands != self._told:
            where = [TopicPartition(self._options.topic, partition, offset) for partition, offset in stands.items()]
            self._consumer.commit(offsets=where, asynchronous=False)
            self._told = stands


def _event(message: Message) -> Event:
    key, headers = message.key(), dict(message.headers() or ())
    if key is None or "type" not in headers:
        raise Stopped(
            f"stopped before partition {message.partition()}, offset {message.offset()}: a record without key or type"
        )
    return Event(key.decode(), headers["type"].decode(), message.value())


def _delivered(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        raise Stopped(f"{message.topic()} refused an order: {error.str()}")


def say(line: object) -> None:
    """For whoever started this."""
    print(line, flush=True)  # noqa: T201 the other end reads it


def _main() -> None:
    say(os.getpid())
    options = msgspec.json.decode(sys.stdin.readline(), type=Options)
    try:
        Service(options).run()
    except (Stopped, KafkaException, sqlite3.Error) as error:
        sys.exit(f"{options.team}: {error}")


if __name__ == "__main__":
    _main()
