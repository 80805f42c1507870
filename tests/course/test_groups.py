"""What the brokers say of a group."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from eventlab.course import groups, searches


@pytest.fixture(scope="module")
def topic(kafka):
    return searches.day(kafka)


def test_a_group_that_committed_nothing_has_everything_before_it(kafka, topic):
    lag = groups.lag(kafka, topic, kafka.name("new"))
    assert lag["committed"].isna().all()
    assert lag["lag"].sum() == searches.SEARCHES


def test_what_was_committed_is_no_lag(kafka, topic):
    group = kafka.name("half")
    consumer = Consumer(kafka.config(**{"group.id": group}))
    consumer.commit(offsets=[TopicPartition(topic, 1, 100), TopicPartition(topic, 2, 0)], asynchronous=False)
    consumer.close()
    lag = groups.lag(kafka, topic, group)
    assert lag["committed"].fillna(-1).tolist() == [-1, 100, 0]
    assert (lag["end"] - lag["lag"]).tolist() == [0, 100, 0]


@pytest.mark.parametrize(("consumers", "sizes"), [(1, [3]), (2, [1, 2]), (4, [0, 1, 1, 1])])
def test_partitions_are_shared_out_and_a_consumer_too_many_gets_none(kafka, topic, consumers, sizes):
    shares = groups.share_out(kafka, topic, consumers)["partitions"]
    assert sorted(map(len, shares)) == sizes
    assert sorted(shares.explode().dropna()) == [0, 1, 2]
