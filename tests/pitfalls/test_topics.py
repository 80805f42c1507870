from datetime import UTC, datetime

import pytest
from confluent_kafka import Consumer, TopicPartition

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.pitfalls import topics
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.topics import Writer, read

AT = datetime(2026, 11, 23, 12, 0, 0, 123000, UTC)


def facts(count):
    return [
        Fact(f"cart-{number % 7}", 1 + number // 7, "ItemAdded", "added 3 Hosen «Größe M»", "shop", "x/1")
        for number in range(count)
    ]


def write(kafka, topic, sent):
    with Writer(kafka) as shop:
        for fact in sent:
            shop.send(topic, fact, fact.key, AT)


def test_what_is_written_is_read_with_its_place_and_the_producers_clock(kafka):
    topic = kafka.topic("written")
    write(kafka, topic, facts(20))
    records = read(kafka, topic)
    assert [(record.order, record.offset) for record in records] == [(number, number) for number in range(20)]
    assert {record.timestamp for record in records} == {AT}
    place = {"partition": 0, "timestamp": AT}
    assert list(records) == [
        Record.decode(fact.encode(), order=number, offset=number, **place) for number, fact in enumerate(facts(20))
    ]


def test_more_than_one_batch_is_read_to_the_end(kafka):
    topic = kafka.topic("long", partitions=2)
    write(kafka, topic, facts(1700))
    assert len(read(kafka, topic)) == 1700


def test_a_topic_with_nothing_in_it_is_read_to_its_end(kafka):
    assert read(kafka, kafka.topic("empty", partitions=3)) == ()


def test_partitions_come_one_after_the_other_and_those_named_last(kafka):
    topic = kafka.topic("turns", partitions=3)
    write(kafka, topic, facts(50))
    turns = [list(dict.fromkeys(record.partition for record in read(kafka, topic, last))) for last in ((), (0, 1))]
    assert turns == [[0, 1, 2], [2, 0, 1]]


def test_the_reader_sees_what_any_consumer_of_a_group_sees(kafka):
    topic = kafka.topic("plain", partitions=3)
    write(kafka, topic, facts(50))
    plain = Consumer(kafka.config(**{"group.id": kafka.name("plain"), "auto.offset.reset": "earliest"}))
    plain.subscribe([topic])
    try:
        seen = []
        while len(seen) < 50:
            message = plain.poll(30)
            assert message is not None
            assert message.error() is None
            seen.append((message.partition(), message.offset(), message.value()))
    finally:
        plain.close()
    assert sorted(seen) == [(record.partition, record.offset, record.encode()) for record in read(kafka, topic)]


def test_a_topic_whose_beginning_is_gone_is_read_from_what_is_there(kafka):
    topic = kafka.topic("cut")
    write(kafka, topic, facts(10))
    for done in kafka.admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        done.result(30)
    assert [record.offset for record in read(kafka, topic)] == [4, 5, 6, 7, 8, 9]


def test_a_reader_asks_again_when_a_broker_dies_while_it_answers(kafka):
    topic = kafka.topic("asked")
    write(kafka, topic, facts(3))
    with FaultProxy(kafka) as proxy:
        dies = proxy.cut(Frames("ListOffsets", nth=1))
        assert len(read(Kafka(proxy.config(), None), topic)) == 3
        assert dies.struck == 1


def test_a_cluster_that_gives_no_answer_is_an_error_that_says_so(kafka, monkeypatch):
    monkeypatch.setattr(topics, "_PATIENCE_SECONDS", 1.0)
    topic = kafka.topic("silent")
    with FaultProxy(kafka) as proxy:
        proxy.cut(Frames("ListOffsets"))
        with pytest.raises(LabError, match=r"silent.* could not be read: "):
            read(Kafka(proxy.config(), None), topic)


def test_a_record_that_the_broker_refuses_is_an_error_that_says_so(kafka):
    topic = kafka.topic("small", max_message_bytes=20)
    with pytest.raises(LabError, match="refused a record"):
        write(kafka, topic, facts(1))


def test_an_error_inside_the_block_is_not_hidden_by_what_is_still_unsent(kafka):
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(kafka, kafka.topic("small", max_message_bytes=20))


def _write_and_fail(kafka, topic):
    with Writer(kafka) as shop:
        shop.send(topic, facts(1)[0], None)
        raise ZeroDivisionError
