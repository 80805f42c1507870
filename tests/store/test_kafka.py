"""The Kafka log on a real broker: what the contract does not ask, and what it proves about the broker itself."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from eventlab import settings
from eventlab.cluster import Kafka
from eventlab.cluster.faults import Frames
from eventlab.cluster.proxy import FaultProxy
from eventlab.domain import cart
from eventlab.domain.cart import CartAbandoned, CreateCart
from eventlab.events.envelope import NewEvent, Recorded, StreamId, Version
from eventlab.events.errors import Unreadable
from eventlab.store import KafkaEventLog, NotSupported, Unavailable, execute
from eventlab.store import kafka as module

CART = StreamId("cart", "17")
MANY = [StreamId("cart", str(number)) for number in range(20)]


def abandoned(reason: str = "late") -> NewEvent:
    return NewEvent(CartAbandoned(reason))


def reasons(events: Iterator[Recorded]) -> list[str]:
    return [recorded.event.reason for recorded in events if isinstance(recorded.event, CartAbandoned)]


@pytest.fixture
def topic(kafka: Kafka) -> str:
    return kafka.topic("log", **settings.topic(1))


@pytest.fixture
def log(kafka: Kafka, topic: str) -> KafkaEventLog:
    return KafkaEventLog(kafka, topic)


def raw(kafka: Kafka, topic: str, **overrides: Any) -> Any:
    """The first record of the topic, as any consumer sees it."""
    consumer = Consumer(kafka.config(**{"group.id": topic}))
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    return message


def test_two_who_decided_on_the_same_version_are_both_stored(kafka: Kafka, topic: str) -> None:
    """The proof behind NotSupported: read, decide, append does not notice the other, and the broker does not either."""
    ana, bob = KafkaEventLog(kafka, topic), KafkaEventLog(kafka, topic)
    ana.append(CART, [abandoned("first")])
    seen_by_ana, seen_by_bob = len(list(ana.read(CART))), len(list(bob.read(CART)))
    assert seen_by_ana == seen_by_bob == 1
    assert ana.append(CART, [abandoned("Ana's second")]).versions == (2,)
    assert bob.append(CART, [abandoned("Bob's second")]).versions == (3,)
    assert reasons(ana.read(CART)) == ["first", "Ana's second", "Bob's second"]


def test_a_command_cannot_be_executed_safely(log: KafkaEventLog) -> None:
    with pytest.raises(NotSupported, match="KAFKA-2260"):
        execute(log, cart.decider, CART, CreateCart("Ana", "EUR"))
    assert list(log.read_all()) == []


def test_versions_count_what_other_writers_append_too(kafka: Kafka, topic: str) -> None:
    ana, bob = KafkaEventLog(kafka, topic), KafkaEventLog(kafka, topic)
    versions = [writer.append(CART, [abandoned(), abandoned()]).versions for writer in (ana, bob, bob, ana)]
    assert versions == [(1, 2), (3, 4), (5, 6), (7, 8)]
    assert [recorded.version for recorded in bob.read(CART)] == list(range(1, 9))


def test_versions_of_writers_in_any_order_are_the_places_of_their_events(kafka: Kafka) -> None:
    topic, chance = kafka.topic("log", 3, **settings.topic(1)), Random(7)
    writers = [KafkaEventLog(kafka, topic) for _ in range(3)]
    told: dict[StreamId, dict[Version, int]] = {stream: {} for stream in MANY}
    for _ in range(60):
        stream = chance.choice(MANY)
        appended = chance.choice(writers).append(stream, [abandoned() for _ in range(chance.randint(1, 3))])
        told[stream].update(zip(appended.versions, appended.positions, strict=True))
    for stream in MANY:
        assert told[stream] == {recorded.version: recorded.position for recorded in writers[0].read(stream)}
    for writer in writers:
        writer.close()
        writer.close()


@pytest.mark.parametrize("writer", [None, "till"])
def test_a_writer_alone_reads_nothing(kafka: Kafka, writer: str | None) -> None:
    topic = kafka.topic("log", 3, **settings.topic(1))
    with FaultProxy(kafka) as proxy:
        log, read = KafkaEventLog(proxy, topic, writer=writer), proxy.watch(Frames("Fetch"))
        for stream in MANY:
            log.append(stream, [abandoned()])
            assert log.append(stream, [abandoned(), abandoned()]).versions == (2, 3)
        assert read.struck == 0
        KafkaEventLog(kafka, topic).append(CART, [abandoned()])
        assert log.append(CART, [abandoned()]).versions == (5,)
        assert read.struck > 0
        log.close()


def test_a_topic_that_was_made_anew_is_noticed(kafka: Kafka, topic: str, log: KafkaEventLog) -> None:
    log.append(CART, [abandoned(), abandoned()])
    deleted = kafka.admin.delete_topics([topic])
    deleted[topic].result(30)
    made = kafka.admin.create_topics([NewTopic(topic, 1)])
    made[topic].result(30)
    with pytest.raises(Unavailable, match="made anew"):
        log.append(CART, [abandoned()])


def test_the_envelope_travels_in_the_headers(kafka: Kafka, topic: str) -> None:
    now = datetime(2026, 3, 3, 18, 0, 0, 123456, tzinfo=UTC)
    new = NewEvent(CartAbandoned("late"), causation=uuid4(), metadata={"user": "Ana"})
    KafkaEventLog(kafka, topic, clock=lambda: now).append(CART, [new])
    message = raw(kafka, topic)
    assert message.key() == b"cart-17"
    assert json.loads(message.value()) == {"reason": "late"}
    assert {name: value.decode() for name, value in message.headers()} == {
        "id": str(new.id),
        "type": "CartAbandoned",
        "schema_version": "1",
        "valid_time": "2026-03-03T18:00:00.123456+00:00",
        "recorded_time": "2026-03-03T18:00:00.123456+00:00",
        "causation": str(new.causation),
        "metadata": '{"user":"Ana"}',
    }
    assert message.timestamp()[1] == 1772560800123


def test_streams_on_several_partitions_are_read_one_by_one(kafka: Kafka) -> None:
    log = KafkaEventLog(kafka, kafka.topic("log", 3, **settings.topic(1)))
    for stream in MANY:
        assert log.append(stream, [abandoned(str(stream)), abandoned("again")]).versions == (1, 2)
    assert [reasons(log.read(stream)) for stream in MANY] == [[str(stream), "again"] for stream in MANY]


def test_several_partitions_have_no_order_of_all_events(kafka: Kafka) -> None:
    log = KafkaEventLog(kafka, kafka.topic("log", 3, **settings.topic(1)))
    with pytest.raises(NotSupported, match="3 partitions"):
        log.read_all()
    with pytest.raises(NotSupported, match="3 partitions"):
        log.subscribe()


def begin(kafka: Kafka, topic: str) -> Any:
    """A producer in the middle of a transaction that has written one record."""
    producer = Producer(kafka.config(**{"transactional.id": topic}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, key=b"cart-17", value=b"{}")
    producer.flush(30)
    return producer


def test_what_a_transaction_aborted_is_not_read(kafka: Kafka, topic: str, log: KafkaEventLog) -> None:
    log.append(CART, [abandoned("one")])
    begin(kafka, topic).abort_transaction(30)
    assert log.append(CART, [abandoned("two")]).versions == (2,)
    events = list(log.read(CART))
    assert (reasons(iter(events)), [recorded.version for recorded in events]) == (["one", "two"], [1, 2])
    assert events[1].position > 2, "the aborted record keeps its offset"


def test_a_transaction_left_open_hides_what_comes_after_it(
    kafka: Kafka, topic: str, log: KafkaEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(CART, [abandoned("one")])
    producer = begin(kafka, topic)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 1)
    with pytest.raises(Unavailable, match="hidden by a transaction that was left open"):
        log.append(CART, [abandoned("two")])
    assert reasons(log.read(CART)) == ["one"]
    producer.abort_transaction(30)
    assert log.append(CART, [abandoned("three")]).versions == (3,)
    assert reasons(log.read(CART)) == ["one", "two", "three"]


def test_events_that_were_deleted_are_not_counted(kafka: Kafka, topic: str, log: KafkaEventLog) -> None:
    log.append(CART, [abandoned("one"), abandoned("two"), abandoned("three")])
    deleted = kafka.admin.delete_records([TopicPartition(topic, 0, 2)])
    for future in deleted.values():
        future.result(30)
    [left] = log.read(CART)
    assert (reasons(iter([left])), left.version, left.position) == (["three"], 1, 3)


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        (None, {}),
        (b"cart-17", {}),
        (b"nostream", {"id": str(uuid4())}),
        (b"\xff", {}),
        (
            b"cart-17",
            {"id": "17", "type": "CartAbandoned", "schema_version": "1", "valid_time": "", "recorded_time": ""},
        ),
    ],
)
def test_a_record_that_is_no_event_is_named(
    kafka: Kafka, topic: str, log: KafkaEventLog, key: bytes | None, headers: dict[str, str]
) -> None:
    log.append(CART, [abandoned()])
    producer = Producer(kafka.config())
    producer.produce(topic, key=key, value=b"{}", headers=headers)
    producer.flush(30)
    events = log.read_all()
    assert reasons(iter([next(events)])) == ["late"]
    with pytest.raises(Unreadable, match=rf"{topic}, partition 0, offset 1: not an event of this log"):
        next(events)


def test_an_append_in_part_says_how_much_is_stored(log: KafkaEventLog) -> None:
    with pytest.raises(Unavailable, match=r"1 of 3 events were acknowledged.*[Mm]essage size too large"):
        log.append(CART, [abandoned("one"), abandoned("x" * 3_000_000), abandoned("three")])
    assert reasons(log.read(CART)) == ["one"]
    assert log.append(CART, [abandoned("two")]).versions == (2,)


def test_a_topic_that_does_not_exist(kafka: Kafka) -> None:
    with pytest.raises(Unavailable, match=r"nowhere.*make one with kafka\.topic"):
        KafkaEventLog(kafka, "nowhere")
    assert "nowhere" not in kafka.admin.list_topics(timeout=30).topics


def test_a_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = Kafka({"bootstrap.servers": f"127.0.0.1:{taken.getsockname()[1]}"}, None)
        with pytest.raises(Unavailable, match="cannot be used"):
            KafkaEventLog(nowhere, "log")


def test_a_closed_log_still_reads(log: KafkaEventLog) -> None:
    log.append(CART, [abandoned()])
    log.close()
    log.close()
    assert reasons(log.read(CART, until=Version(1))) == ["late"]
