import pytest

from eventlab.cluster import LabError
from eventlab.pitfalls.java import JavaWriter, read_java
from eventlab.pitfalls.topics import Writer, read

from .test_topics import facts


def test_both_readers_see_the_same_of_both_writers(kafka):
    topic = kafka.topic("both", partitions=3)
    with JavaWriter(kafka) as java, Writer(kafka) as python:
        for number, fact in enumerate(facts(700)):
            (java if number % 2 else python).send(topic, fact, fact.key)
    seen = read_java(kafka, topic)
    assert len(seen) == 700
    assert seen == read(kafka, topic)


def test_a_topic_with_nothing_in_it_is_read_to_its_end(kafka):
    assert read_java(kafka, kafka.topic("empty", partitions=2)) == ()


def test_a_record_that_the_broker_refuses_is_an_error_that_says_so(kafka):
    topic = kafka.topic("small", max_message_bytes=20)
    with pytest.raises(LabError, match=r"refused a record .*RecordTooLarge"), JavaWriter(kafka) as java:
        java.send(topic, facts(1)[0], "key")


def test_an_error_inside_the_block_is_not_hidden_by_what_is_still_unsent(kafka):
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(kafka, kafka.topic("small", max_message_bytes=20))


def _write_and_fail(kafka, topic):
    with JavaWriter(kafka) as java:
        java.send(topic, facts(1)[0], "key")
        raise ZeroDivisionError
