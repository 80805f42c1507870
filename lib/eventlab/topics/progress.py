"""How far a view of a topic got: how much it is behind, and a wait until it has what was written."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import IsolationLevel, KafkaException

from eventlab.cluster import Kafka
from eventlab.cluster.ends import ends
from eventlab.cluster.pace import Look, Pace
from eventlab.events.envelope import Position
from eventlab.store import Unavailable
from eventlab.topics.projector import TopicProjector
from eventlab.views.errors import NotReached, ViewError

_LOOK_SECONDS = 0.005  # between two looks at the checkpoints, while somebody waits


class Lag(NamedTuple):
    """How many offsets a view is behind, how many no reader gets because a transaction is open, records parked."""

    records: int
    hidden: int
    parked: int


def lag(kafka: Kafka, projector: TopicProjector) -> Lag:
    """How much the view is behind its topic now. Raises ViewError when partitions were added, and Unavailable."""
    at, parked = projector.sink.state()
    committed = _ends(kafka, projector.topic, IsolationLevel.READ_COMMITTED)
    written = _ends(kafka, projector.topic, IsolationLevel.READ_UNCOMMITTED)
    if at.keys() != committed.keys():
        raise ViewError(f"{projector.topic} has {len(committed)} partitions, and the view {len(at)}: some go unread")
    behind = sum(max(0, end - at[partition]) for partition, end in committed.items())
    return Lag(behind, sum(max(0, end - committed[partition]) for partition, end in written.items()), len(parked))


def _ends(kafka: Kafka, topic: str, isolation: IsolationLevel) -> dict[int, int]:
    why = "there is no such topic"
    try:
        if found := ends(kafka, topic, isolation):
            return found
    except KafkaException as error:
        why = error.args[0].str()
    except TimeoutError:
        why = "its brokers do not answer"
    raise Unavailable(f"where {topic} ends cannot be told: {why}; check that the cluster runs (eventlab status)")


def keeping_up(kafka: Kafka, projector: TopicProjector, *, seconds: float = 2.0) -> Pace:
    """Whether the view keeps up with its topic, from two looks that are ``seconds`` apart.

    ``.keeps_up()``, ``.lag`` in offsets, ``.there_in``; parked records are what is set ``aside``. What an open
    transaction hides is no lag of the view. Raises as :func:`lag`.
    """
    first, _ = _look(kafka, projector)
    time.sleep(seconds)
    last, parked = _look(kafka, projector)
    return Pace.between(first, last, parked)


def _look(kafka: Kafka, projector: TopicProjector) -> tuple[Look, int]:
    at, _ = projector.sink.state()
    left = lag(kafka, projector)
    return Look(time.monotonic(), left.records, sum(at.values())), left.parked


def wait_until(projector: TopicProjector, offsets: Mapping[int, int], timeout: float = 5.0) -> None:
    """Wait until the view has all records before these ``offsets``, by partition: read your own writes.

    After an append to a log: ``{log.partition(stream): appended.positions[-1]}``. ``timeout`` in seconds.
    Raises NotReached (a TimeoutError), and ViewError when one of those records is parked.
    """
    deadline = time.monotonic() + timeout
    while True:
        at, parked = projector.sink.state()
        if held := [record for record, _ in parked if record.offset < offsets.get(record.partition, 0)]:
            raise ViewError(f"the view {projector.sink.view} has parked {held[0]}; retry_parked() first")
        missing = [partition for partition, offset in offsets.items() if at[partition] < offset]
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise NotReached(str(projector.sink.view), Position(offsets[missing[0]]), Position(at[missing[0]]), timeout)
        time.sleep(_LOOK_SECONDS)
