"""Exercises of lesson 00: the lab answers, and its answers can be read."""

from typing import Any

from confluent_kafka import Consumer, TopicPartition

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question

_SECONDS = 15.0
_USUAL_PORT = 9092
_PARTITIONS = 3


def _check_port(answer: object, kafka: Any) -> str | None:
    ports = {int(address.rsplit(":", 1)[1]) for address in kafka.bootstrap.split(",")}
    if not isinstance(answer, int):
        return "A port is a whole number, written without quotes."
    if answer in ports:
        return None
    if answer == _USUAL_PORT:
        return f"{_USUAL_PORT} is where most brokers listen. The lab took a port that was free: look at the card."
    return f"No broker of this lab listens on {answer}: the port stands behind the colon of the address on the card."


def _check_offset(answer: object, kafka: Any, topic: str) -> str | None:
    if not isinstance(answer, int):
        return "An offset is a whole number."
    consumer = Consumer(kafka.config(**{"group.id": kafka.name("check")}))
    try:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), _SECONDS)
    finally:
        consumer.close()
    if answer == first:
        return "There is a record at that offset, but it is the one that the lesson sent. Send one of your own."
    if not first < answer < end:
        return f"`{topic}` has no record at that offset: did the broker acknowledge yours?"
    return None


def _check_partitions(answer: object, kafka: Any) -> str | None:
    if not isinstance(answer, str):
        return "The answer is the name of a topic, as `kafka.topic(…)` gives it."
    topics = kafka.admin.list_topics(timeout=_SECONDS).topics
    if answer not in topics:
        return f"The broker knows no topic `{answer}`: `kafka.topic(…)` creates one and gives its full name."
    if len(topics[answer].partitions) != _PARTITIONS:
        return f"`{answer}` is there; its number of partitions is {len(topics[answer].partitions)}."
    return None


PLAN = Plan(
    title="Start here",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_port,
            why="This is the door through which every notebook, tool and program reaches the broker.",
            hints=(
                "Put `kafka` into a cell of its own and run it.",
                "The address has the form `host:port`. It is also in `kafka.bootstrap`.",
            ),
            solution='answer = int(kafka.bootstrap.split(",")[0].split(":")[1])',
        ),
        Exercise(
            id="b",
            kind="make",
            check=_check_offset,
            why="It lies behind the first record, and will lie there for every reader.",
            hints=(
                "The cell that sent the first record can send another one.",
                "`hello.round_trip(…)` gives back the record; a record knows its offset.",
            ),
            solution='answer = hello.round_trip(kafka, topic, "2 pairs of trousers put back").record.offset',
        ),
        Exercise(
            id="c",
            kind="modify",
            check=_check_partitions,
            why="Three partitions are three logs side by side. What that does to order is lesson 14.",
            hints=(
                "Look at the cell that made `topic`; the method takes more than a name.",
                "Press Shift+Tab inside the parentheses of `kafka.topic()`: one parameter has the word you need.",
            ),
            solution='answer = kafka.topic("three", partitions=3)',
        ),
    ),
    recall=(
        Question(
            "A broker has acknowledged your record. What finds exactly this record again?",
            (
                Option("Its time", "Two records may carry the same time, and the time is whatever the sender set."),
                Option(
                    "Topic, partition and offset", "Yes: the address never changes and is never reused.", right=True
                ),
                Option("Its key", "Many records may share a key, and a broker keeps no index of keys."),
            ),
            lesson="00",
        ),
        Question(
            "What comes before you run a cell that measures something?",
            (
                Option(
                    "A guess, kept with the button", "Yes: a guess that turns out wrong is what sticks.", right=True
                ),
                Option(
                    "The solution of the exercise", "Exercises come after the measurement, and it needs none of them."
                ),
                Option("A restart of the brokers", "The lab stays up; each run makes topics of its own."),
            ),
            lesson="00",
        ),
        Question(
            "Your colleague's first record took another number of milliseconds than yours. Who is right?",
            (
                Option("The one with more cores", "No machine is the reference."),
                Option(
                    "Neither: a lesson has fixed results", "Nothing here is fixed: no figure is typed into the text."
                ),
                Option("Both", "Yes: each was measured where it is shown.", right=True),
            ),
            lesson="00",
        ),
    ),
)
