"""A scan reads what a topic holds when it begins, once, and says how far it is."""

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer, TopicPartition

from eventlab.cluster import LabError
from eventlab.cluster.scan import BATCH, Scan

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def write(kafka, topic, numbers, partition=0, transaction=None):
    """A record per number, a second apart by the producer's clock. ``transaction``: ``commit`` or ``abort`` it."""
    settings = {"transactional.id": kafka.name("writer")} if transaction else {}
    producer = Producer(kafka.config(**{"log_level": 0, **settings}))
    if transaction:
        producer.init_transactions(30)
        producer.begin_transaction()
    for number in numbers:
        at = round((NOON + timedelta(seconds=number)).timestamp() * 1000)
        producer.produce(topic, str(number).encode(), partition=partition, timestamp=at)
    assert producer.flush(30) == 0
    if transaction:
        getattr(producer, f"{transaction}_transaction")(30)
    producer.close()


def numbers(scan):
    return [int(message.value()) for batch in scan for message in batch]


def test_every_record_once_and_each_partition_in_its_order(kafka):
    topic = kafka.topic("long", retention_ms=-1, partitions=3)
    for partition in range(3):
        write(kafka, topic, range(partition, 3 * BATCH, 3), partition)
    scan = Scan(kafka, topic)
    assert (scan.partitions, scan.expected, scan.done) == (3, 3 * BATCH, 0)
    records = [message for batch in scan for message in batch]
    assert sorted(int(record.value()) for record in records) == list(range(3 * BATCH))
    for partition in range(3):
        lane = [int(record.value()) for record in records if record.partition() == partition]
        assert lane == list(range(partition, 3 * BATCH, 3))
    assert scan.done == scan.expected


def test_progress_only_grows(kafka):
    topic = kafka.topic("progress", retention_ms=-1)
    write(kafka, topic, range(5 * BATCH))
    scan = Scan(kafka, topic)
    told = [scan.done for _ in scan]
    assert told == sorted(told)
    assert scan.done == 5 * BATCH


def test_nothing_to_read_ends_at_once(kafka):
    assert numbers(Scan(kafka, kafka.topic("empty", retention_ms=-1, partitions=3))) == []


def test_what_comes_later_is_left_for_later(kafka):
    topic = kafka.topic("live", retention_ms=-1)
    write(kafka, topic, range(10))
    scan = Scan(kafka, topic)
    write(kafka, topic, range(10, 2 * BATCH))
    assert numbers(scan) == list(range(10))


def test_only_what_was_committed_and_the_marks_behind_it_do_not_keep_it_waiting(kafka):
    topic = kafka.topic("transactions", retention_ms=-1)
    for part, end in enumerate(["commit", "abort", "commit", "abort"]):
        write(kafka, topic, range(part * 10, part * 10 + 10), transaction=end)
    scan = Scan(kafka, topic)
    assert numbers(scan) == [*range(10), *range(20, 30)]
    assert scan.done == scan.expected == 44


def test_a_transaction_that_is_still_open_is_not_waited_for(kafka):
    topic = kafka.topic("open", retention_ms=-1)
    write(kafka, topic, range(10))
    producer = Producer(kafka.config(**{"log_level": 0, "transactional.id": kafka.name("writer")}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"99")
    assert producer.flush(30) == 0
    assert numbers(Scan(kafka, topic)) == list(range(10))
    producer.abort_transaction(30)


@pytest.mark.parametrize(("seconds", "first"), [(-1, 0), (3, 3), (3.5, 4), (99, 10)])
def test_since_a_time(kafka, seconds, first):
    topic = kafka.topic("since", retention_ms=-1, partitions=2, message_timestamp_type="CreateTime")
    write(kafka, topic, range(0, 10, 2), partition=0)
    write(kafka, topic, range(1, 10, 2), partition=1)
    scan = Scan(kafka, topic, since=NOON + timedelta(seconds=seconds))
    assert scan.expected == 10 - first
    assert sorted(numbers(scan)) == list(range(first, 10))


def test_a_topic_whose_beginning_is_gone_is_read_from_what_is_there(kafka):
    topic = kafka.topic("cut", retention_ms=-1)
    write(kafka, topic, range(10))
    for done in kafka.admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        done.result(30)
    assert numbers(Scan(kafka, topic)) == list(range(4, 10))


def test_what_is_deleted_while_it_is_read_is_an_error_and_not_a_gap(kafka):
    topic = kafka.topic("cut", retention_ms=-1)
    write(kafka, topic, range(10))
    scan = Scan(kafka, topic)
    for done in kafka.admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        done.result(30)
    with pytest.raises(LabError, match=r"\[0\] cannot be read on"):
        numbers(scan)


def test_no_such_topic(kafka):
    with pytest.raises(LabError, match="has no topic not-there that you may read"):
        Scan(kafka, "not-there")


def test_no_cluster(kafka, monkeypatch):
    monkeypatch.setattr("eventlab.cluster.scan._PATIENCE_SECONDS", 0.5)

    class Nowhere:
        def config(self, **overrides):
            return {"bootstrap.servers": "127.0.0.1:1", **overrides}

    with pytest.raises(LabError, match="topic cannot be read: "):
        Scan(Nowhere(), "topic")


def test_no_group_is_left_on_the_cluster(kafka):
    topic = kafka.topic("quiet", retention_ms=-1)
    write(kafka, topic, range(10))
    numbers(Scan(kafka, topic))
    groups = kafka.admin.list_consumer_groups().result(30).valid
    assert "eventlab-scan" not in {group.group_id for group in groups}
