"""The defaults: taken by clients and brokers, each with a reason, and with a proof that is in the gallery."""

import re
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import ConfigResource, ResourceType

from eventlab import settings
from eventlab.cluster import Kafka
from eventlab.pitfalls.gallery import gallery
from eventlab.settings import CONSUMER, MEASURED, MEMBER, PRODUCER, TOPIC, TRANSACTIONS, Default

PAGE = Path(__file__).parents[2] / "docs/decisions/kafka-defaults.md"
TABLES = {
    "Producer": PRODUCER,
    "Transactions": TRANSACTIONS,
    "Consumer": CONSUMER,
    "Member of a group": MEMBER,
    "Topic": TOPIC,
}
ALL = [each for table in TABLES.values() for each in table]


def row(each: Default) -> str:
    value = str(each.value).lower() if isinstance(each.value, bool) else each.value
    return f"| `{each.name}` | `{value}` | {each.reason} | {each.proof} |"


@pytest.mark.parametrize("title", TABLES)
def test_the_page_has_every_default_with_its_reason(title):
    section = PAGE.read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == [row(each) for each in TABLES[title]]


def test_what_proves_a_default_is_in_the_gallery():
    named = {id_ for each in ALL for id_ in re.findall(r"P\d+", each.proof)}
    assert len(named) > 10
    assert named <= gallery().keys()


def test_each_has_a_proof():
    assert all(each.proof for each in ALL)
    measured = PAGE.read_text().split("## Measured\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)`", measured, re.MULTILINE) == [each.name for each in ALL if each.proof == MEASURED]


def test_clients_take_them(kafka: Kafka):
    for config in (settings.producer(), settings.transactions("one")):
        Producer(kafka.config(**config)).close()
    for config in (settings.consumer("one"), settings.member("one")):
        Consumer(kafka.config(**config)).close()


def test_a_topic_takes_them(kafka: Kafka):
    topic = kafka.topic("carts", **settings.topic(replicas=1))
    resource = ConfigResource(ResourceType.TOPIC, topic)
    found = kafka.admin.describe_configs([resource])[resource].result(30)
    wanted = {each.name: str(each.value).lower() for each in TOPIC} | {"min.insync.replicas": "1"}
    assert {name: found[name].value for name in wanted} == wanted


def test_of_three_replicas_two_must_have_an_event():
    assert settings.topic(replicas=3)["min_insync_replicas"] == "2"
