"""The first record of the course really goes to a broker and back."""

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import KafkaException

from eventlab.course import hello


def test_a_record_comes_back_from_its_address(kafka):
    topic = kafka.topic("hello")
    before = datetime.now(UTC) - timedelta(milliseconds=1)  # Kafka's times are whole milliseconds
    first, second = (hello.round_trip(kafka, topic, text) for text in ["3 pairs of trousers", "2 back, Größe M"])
    assert (first.record.offset, second.record.offset) == (0, 1)
    assert first.record.text == "3 pairs of trousers"
    assert before <= first.record.time <= datetime.now(UTC)
    assert first.milliseconds > 0
    assert hello.read(kafka, topic, second.record.offset) == second.record


def test_a_record_shows_itself_as_a_table(kafka):
    record = hello.round_trip(kafka, kafka.topic("hello"), "<b>3</b> pairs").record
    page = record._repr_html_()
    assert "&lt;b&gt;3&lt;/b&gt; pairs" in page
    assert record.topic in page


def test_a_refused_record_is_an_error_not_a_result(kafka):
    topic = kafka.topic("tiny", max_message_bytes=10)
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        hello.round_trip(kafka, topic, "far more than ten bytes")


def test_without_a_broker_the_address_is_named(monkeypatch):
    class Silent:
        bootstrap = "127.0.0.1:1"

        def config(self, **overrides):
            return {"bootstrap.servers": self.bootstrap, "log_level": 0, **overrides}

    monkeypatch.setattr(hello, "_PATIENCE_SECONDS", 0.5)
    with pytest.raises(TimeoutError, match=r"no acknowledgement from 127\.0\.0\.1:1 within 0\.5 s"):
        hello.round_trip(Silent(), "any", "hello?")
