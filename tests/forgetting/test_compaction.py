"""A tombstone on a compacted topic does take a name off the disk, and everybody's history with it."""

from confluent_kafka import Producer

from eventlab.cluster import Kafka
from eventlab.forgetting import Topic, compaction, leak_check


def test_a_tombstone_forgets_one_and_takes_the_history_of_all(kafka: Kafka) -> None:
    result = compaction.run(kafka, customers=300, changes=4)

    assert result.before == 299 * 4
    assert 299 <= result.after < result.before  # what came after the last cleaning is still whole
    assert result.rewritten > 0
    assert result.seconds < 30
    assert f"of {result.before:,} records" in repr(result)


def test_without_a_tombstone_compaction_keeps_the_name(kafka: Kafka) -> None:
    topic = kafka.topic("customers", cleanup_policy="compact")
    producer = Producer(kafka.config())
    producer.produce(topic, compaction.NAME, compaction.CHOSEN)
    producer.flush(10)
    producer.close()
    assert not leak_check([compaction.NAME], Topic(kafka, topic)).clean


def test_kafkas_own_settings_name_no_time_by_which_it_is_done(kafka: Kafka) -> None:
    table = compaction.defaults(kafka).set_index("setting")
    assert table.loc["max.compaction.lag.ms", "by default"] == "no limit"
    assert table.loc["segment.ms", "by default"] == "7 d"
