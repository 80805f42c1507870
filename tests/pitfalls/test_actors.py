"""Processes that stand still where they are told to, and are struck there."""

import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from eventlab.cluster import LabError
from eventlab.pitfalls.actors import Actor, Step


def count(tell, path, to):
    """Write numbers to a file, from where the file ends; the process may be struck before and after each."""
    file = Path(path)
    for number in range(len(file.read_text()) if file.exists() else 0, to):
        tell("thought", number=number)
        with file.open("a") as out:
            out.write(str(number))
        tell("written", number=number)


def consume(tell, config, topic, until):
    """Read a topic from where its group left off, and commit each record after it was dealt with."""
    consumer = Consumer(config)
    consumer.assign([TopicPartition(topic, 0)])
    read = ""
    while read != until:
        message = consumer.poll(30)
        read = message.value().decode()
        tell("read", value=read)
        consumer.commit(message, asynchronous=False)
        tell("committed", value=read)
    consumer.close()


def fail(tell):
    raise ZeroDivisionError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "numbers"


@pytest.fixture
def counter(file):
    with Actor(count, path=str(file), to=5) as actor:
        yield actor


def test_it_stands_where_it_was_told_to_and_goes_on_from_there(counter, file):
    assert counter.until("written", times=2) == Step("written", {"number": 1})
    assert (file.read_text(), counter.state) == ("01", "running")
    counter.finish()
    assert file.read_text() == "01234"
    assert [step.what["number"] for step in counter.steps if step.name == "written"] == [0, 1, 2, 3, 4]


def test_killed_at_a_point_and_started_again_it_begins_with_what_it_left(counter, file):
    counter.until("written", times=3)
    counter.kill()
    assert (file.read_text(), counter.state) == ("012", "dead")
    counter.restart()
    assert counter.until("thought").what == {"number": 3}
    counter.finish()
    assert file.read_text() == "01234"


def test_paused_it_does_nothing_and_resumed_it_goes_on(counter, file):
    counter.until("thought")
    counter.pause()
    assert counter.state == "paused"
    counter.resume()
    counter.finish()
    assert file.read_text() == "01234"


def test_a_paused_one_can_be_killed_and_ends_with_the_block(file):
    with Actor(count, path=str(file), to=5) as actor:
        actor.until("thought")
        actor.pause()
        actor.restart()
        actor.until("written")
        actor.pause()
        process = actor._process
    deadline = time.monotonic() + 10
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (actor.state, file.read_text()) == ("dead", "0")


def test_a_consumer_that_was_killed_before_it_committed_reads_the_record_again(kafka):
    topic = kafka.topic("numbers")
    producer = Producer(kafka.config())
    for number in range(5):
        producer.produce(topic, str(number))
    assert producer.flush(30) == 0
    config = kafka.config(**{"group.id": topic, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    with Actor(consume, config=config, topic=topic, until="4") as reader:
        reader.until("committed", times=2)
        reader.until("read")
        reader.restart()
        reader.until("read")
        reader.pause()
        reader.resume()
        reader.finish()
    assert [step.what["value"] for step in reader.steps if step.name == "read"] == ["0", "1", "2", "2", "3", "4"]


def test_a_point_that_it_never_comes_to_is_an_error(counter):
    with pytest.raises(LabError, match="never came to 'drunk'"):
        counter.until("drunk")


def test_work_that_fails_is_an_error_and_its_reason_is_told(capfd):
    with Actor(fail) as actor, pytest.raises(LabError, match="what it said stands above"):
        actor.finish()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_one_that_was_killed_does_not_go_on(counter):
    counter.until("thought")
    counter.kill()
    for _ in range(2):
        with pytest.raises(LabError, match="has ended"):
            counter.until("written")


def test_work_that_another_process_cannot_find_is_refused():
    with pytest.raises(ValueError, match="put it into a module"):
        Actor(lambda tell: None)
