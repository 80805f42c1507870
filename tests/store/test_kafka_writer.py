"""Writers with a name, and without one: what is there, and how often, when an append got no answer."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal

import pytest
from confluent_kafka import Producer

from eventlab import settings
from eventlab.cluster import Kafka
from eventlab.cluster.faults import Frames
from eventlab.cluster.proxy import FaultProxy
from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import KafkaEventLog, Unavailable, kafka_writer
from eventlab.store import kafka as kafka_log

CART = StreamId("cart", "17")
PATIENCE_SECONDS = 20.0

Open = Callable[[], KafkaEventLog]


@pytest.fixture
def topic(kafka: Kafka) -> str:
    return kafka.topic("log", 3, **settings.topic(1))


@pytest.fixture
def till(kafka: Kafka, topic: str) -> Iterator[KafkaEventLog]:
    with closing(KafkaEventLog(kafka, topic, writer="till")) as log:
        yield log


def abandoned(reason: str = "late") -> NewEvent:
    return NewEvent(CartAbandoned(reason))


def reasons(log: KafkaEventLog) -> list[str]:
    return [each.event.reason for each in log.read(CART) if isinstance(each.event, CartAbandoned)]


@pytest.mark.parametrize(("writer", "times"), [(None, 2), ("till", 1)])
def test_what_was_not_there_when_one_looked_comes_later_unless_the_writer_has_a_name(
    kafka: Kafka, topic: str, writer: str | None, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7 and its cure, for who appends again: the first request is still on its way to the broker."""
    monkeypatch.setattr(kafka_writer, "PATIENCE_SECONDS", 1)
    sold = abandoned()
    with FaultProxy(kafka) as proxy:
        first = KafkaEventLog(proxy, topic, writer=writer)
        held = proxy.hold(Frames("Produce"))
        arrived = proxy.watch(Frames("Produce", "response"))
        with pytest.raises(Unavailable, match="read the stream before" if writer is None else "none of 1 events is"):
            first.append(CART, [sold])
        held.wait()
        with closing(KafkaEventLog(kafka, topic, writer=writer)) as second:
            assert reasons(second) == []
            second.append(CART, [sold])
            held.release()
            arrived.wait()
            assert [each.id for each in second.read(CART)] == [sold.id] * times
        first.close()


@pytest.mark.parametrize("lost", ["request", "response"])
def test_whoever_opens_the_log_again_finds_what_became_of_a_commit_without_an_answer(
    kafka: Kafka, topic: str, lost: Literal["request", "response"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ANSWER_SECONDS", 1.0)
    sold = [abandoned(), abandoned()]
    with FaultProxy(kafka) as proxy:
        first = KafkaEventLog(proxy, topic, writer="till")
        held = proxy.hold(Frames("EndTxn", lost))
        with pytest.raises(Unavailable, match=r"2 events are stored in .*, or none: read the stream"):
            first.append(CART, sold)
        monkeypatch.undo()
        with closing(KafkaEventLog(kafka, topic, writer="till")) as second:
            found = [each.id for each in second.read(CART)]
            assert found == ([] if lost == "request" else [each.id for each in sold])
            held.release()
            if not found:
                second.append(CART, sold)
            assert [each.id for each in second.read(CART)] == [each.id for each in sold]


@pytest.mark.parametrize("size", [3_000_000, 300_000], ids=["refused by the client", "refused by the broker"])
def test_all_of_an_append_is_stored_or_nothing(kafka: Kafka, size: int) -> None:
    topic = kafka.topic("log", **settings.topic(1), max_message_bytes=100_000)
    with closing(KafkaEventLog(kafka, topic, writer="till")) as till:
        assert till.append(CART, [abandoned("one"), abandoned("two")]).versions == (1, 2)
        with pytest.raises(Unavailable, match=r"none of 3 events is stored.*[Mm]essage size too large"):
            till.append(CART, [abandoned("three"), abandoned("x" * size), abandoned("five")])
    with closing(KafkaEventLog(kafka, topic, writer="till")) as till:
        assert till.append(CART, [abandoned("six")]).versions == (3,)
        assert reasons(till) == ["one", "two", "six"]


def test_whoever_takes_the_name_is_the_only_one_who_writes(kafka: Kafka, topic: str, till: KafkaEventLog) -> None:
    till.append(CART, [abandoned("one")])
    with closing(KafkaEventLog(kafka, topic, writer="till")) as successor:
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"open (the log|it) again"):
                till.append(CART, [abandoned("of a zombie")])
        assert successor.append(CART, [abandoned("two")]).versions == (2,)
        assert reasons(successor) == reasons(till) == ["one", "two"]


def test_two_names_write_side_by_side_and_read_what_they_wrote(kafka: Kafka, topic: str, till: KafkaEventLog) -> None:
    with closing(KafkaEventLog(kafka, topic, writer="other till")) as other:
        for number in range(1, 21):
            log = (till, other)[number % 2]
            told = log.append(CART, [abandoned(), abandoned()])
            read = [(each.version, each.position) for each in log.read(CART)]
            assert [version for version, _ in read] == list(range(1, 2 * number + 1))
            assert read[-2:] == list(zip(told.versions, told.positions, strict=True))


def test_it_does_not_read_past_what_another_transaction_hides(
    kafka: Kafka, topic: str, till: KafkaEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever looks for an event that is stored, and hidden, would append it again."""
    other = Producer(kafka.config(**{"transactional.id": topic}))
    other.init_transactions(PATIENCE_SECONDS)
    other.begin_transaction()
    other.produce(topic, b"{}", str(CART), till.partition(CART))
    other.flush(PATIENCE_SECONDS)
    monkeypatch.setattr(kafka_log, "PATIENCE_SECONDS", 1)
    for use in (lambda: till.append(CART, [abandoned("one")]), lambda: reasons(till)):
        with pytest.raises(Unavailable, match="hidden by a transaction that was left open"):
            use()
    other.abort_transaction(PATIENCE_SECONDS)
    assert reasons(till) == ["one"]
    assert till.append(CART, [abandoned("two")]).versions == (2,)


def test_without_an_answer_nobody_writes_with_a_name(kafka: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ANSWER_SECONDS", 1.0)
    with FaultProxy(kafka) as proxy:
        held = proxy.hold(Frames("InitProducerId"))
        with pytest.raises(Unavailable, match="nobody can write as 'till' now"):
            KafkaEventLog(proxy, topic, writer="till")
        held.release()
