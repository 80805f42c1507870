"""Transaction markers and ends as they really are in a topic."""

import pytest
from confluent_kafka import Producer
from tests.store.waiting import eventually

from eventlab.pitfalls.marks import Mark, ends, markers, marks


@pytest.fixture
def writer(kafka):
    producer = Producer(kafka.config(**{"transactional.id": kafka.name("writer"), "log_level": 3}))
    producer.init_transactions(20)
    yield producer
    producer.close()


def write(producer, topic, *values):
    for value in values:
        producer.produce(topic, value, partition=0)
    producer.flush(20)


def test_a_transactions_fate_stands_in_the_log_behind_its_records(kafka, writer):
    topic = kafka.topic("transactions", partitions=2)
    writer.begin_transaction()
    write(writer, topic, "a", "b")
    writer.commit_transaction(20)
    writer.begin_transaction()
    write(writer, topic, "c")
    writer.abort_transaction(20)
    eventually(lambda: markers(kafka, topic) == (Mark(0, 2, "commit"), Mark(0, 4, "abort")))
    assert marks(kafka, topic)[2:] == (
        Mark(0, 5, "last stable offset"),
        Mark(0, 5, "high watermark"),
        Mark(1, 0, "last stable offset"),
        Mark(1, 0, "high watermark"),
    )


def test_an_open_transaction_holds_the_last_stable_offset(kafka, writer):
    topic = kafka.topic("open")
    writer.begin_transaction()
    write(writer, topic, "a", "b", "c")
    assert ends(kafka, topic) == (Mark(0, 0, "last stable offset"), Mark(0, 3, "high watermark"))
    writer.commit_transaction(20)
    eventually(lambda: ends(kafka, topic) == (Mark(0, 4, "last stable offset"), Mark(0, 4, "high watermark")))


def test_markers_are_found_in_every_segment(kafka, writer):
    topic = kafka.topic("segments", segment_bytes=1024 * 1024)
    for _ in range(4):
        writer.begin_transaction()
        write(writer, topic, b"x" * 600_000)
        writer.commit_transaction(20)
    eventually(lambda: [mark.offset for mark in markers(kafka, topic)] == [1, 3, 5, 7])


def test_elsewhere_only_the_ends_are_known(kafka, monkeypatch):
    topic = kafka.topic("elsewhere")
    monkeypatch.setattr(kafka, "_lab", None)
    assert marks(kafka, topic) == ends(kafka, topic)
