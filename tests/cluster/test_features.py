"""The brokers are genuine, and nothing of Kafka is switched off."""

import re

from confluent_kafka import ConsumerGroupType, Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from eventlab import cluster
from eventlab.cluster import Kafka

from .labs import DEADLINE, read, write


def test_every_feature_has_its_newest_level(kafka: Kafka) -> None:
    done = cluster.java(
        "org.apache.kafka.tools.FeatureCommand", "--bootstrap-server", kafka.bootstrap, "describe", capture_output=True
    )
    levels = {
        name: int(level)
        for name, level in re.findall(r"^Feature: (\S+)\s.*FinalizedVersionLevel: (\d+)", done.stdout, re.MULTILINE)
    }
    assert {name: levels.get(name) for name in ("transaction.version", "group.version", "share.version")} == {
        "transaction.version": 2,
        "group.version": 1,
        "share.version": 1,
    }, done.stdout + done.stderr


def test_a_group_of_the_next_generation_reads(kafka: Kafka) -> None:
    topic, group = kafka.topic("orders"), kafka.name("kip848")
    write(kafka.config(), topic, ["first", "second"])
    assert read(kafka.config(), topic, 2, **{"group.id": group, "group.protocol": "consumer"}) == ["first", "second"]
    described = kafka.admin.describe_consumer_groups([group])[group].result(DEADLINE)
    assert described.type == ConsumerGroupType.CONSUMER


def test_a_share_group_reads(kafka: Kafka) -> None:
    topic, group = kafka.topic("orders"), kafka.name("share")
    setting = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=[setting])
    kafka.admin.incremental_alter_configs([resource])[resource].result(DEADLINE)
    write(kafka.config(), topic, ["shared"])
    words = ["--bootstrap-server", kafka.bootstrap, "--topic", topic, "--group", group, "--max-messages", "1"]
    done = cluster.java("org.apache.kafka.tools.consumer.ConsoleShareConsumer", *words, capture_output=True, timeout=60)
    assert done.stdout == "shared\n", done.stderr


def test_a_transaction_is_seen_whole_or_not_at_all(kafka: Kafka) -> None:
    topic = kafka.topic("transfers")
    producer = Producer(kafka.config(**{"transactional.id": kafka.name("transfer")}))
    producer.init_transactions()
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush()
        end()
    assert read(kafka.config(), topic, 1, **{"isolation.level": "read_committed"}) == ["committed"]
    everything = {"isolation.level": "read_uncommitted", "group.id": kafka.name("careless")}
    assert read(kafka.config(), topic, 2, **everything) == ["aborted", "committed"]


def test_a_mistyped_topic_is_an_error_not_a_new_topic(kafka: Kafka) -> None:
    producer = Producer(kafka.config(**{"message.timeout.ms": 2000, "topic.metadata.propagation.max.ms": 500}))
    reports = []
    producer.produce("no-such-topic", b"value", on_delivery=lambda error, _: reports.append(error))
    producer.flush(DEADLINE)
    assert [report.name() for report in reports] == ["UNKNOWN_TOPIC_OR_PART"]
    assert "no-such-topic" not in kafka.admin.list_topics(timeout=DEADLINE).topics
