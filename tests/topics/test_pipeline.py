"""From topic to topic: what readers of committed records find is there once, whatever dies or sleeps (P9, P17, P32)."""

import time
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from confluent_kafka import TopicPartition
from tests.topics import works
from tests.topics.shop import write

from eventlab import settings
from eventlab.cluster import Kafka
from eventlab.cluster.faults import Frames
from eventlab.cluster.proxy import FaultProxy, Rule
from eventlab.cluster.scan import Scan
from eventlab.pitfalls.actors import Actor
from eventlab.store import KafkaEventLog
from eventlab.topics import Output, Pipeline, Record, RecordFailed, RecordsLost
from eventlab.views import Running

PATIENCE_SECONDS = 60.0


def contents(kafka: Kafka, topic: str) -> list[tuple[int, bytes, bytes]]:
    """Partition, key and event id of every record that a reader of committed records gets, in order."""
    found = [message for batch in Scan(kafka, topic) for message in batch]
    found.sort(key=lambda message: (message.partition(), message.offset()))
    return [(message.partition(), message.key(), dict(message.headers())["id"]) for message in found]


def is_copied(kafka: Kafka, source: str, target: str) -> None:
    """Wait until as much is there, and see that it is the same, each once and in order."""
    wait_for(lambda: len(contents(kafka, target)) >= len(contents(kafka, source)))
    assert contents(kafka, target) == contents(kafka, source)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def target(kafka: Kafka) -> str:
    return kafka.topic("copies", 3)


def test_killed_at_every_step_it_copies_each_record_once(
    kafka: Kafka, topic: str, log: KafkaEventLog, target: str
) -> None:
    name = kafka.name("copy")
    with Actor(works.copy, config=kafka.config(), source=topic, target=target, name=name, member="one") as victim:
        for seed, step in enumerate(works.PIPELINE_STEPS):
            write(log, seed, 3)
            victim.until(step)
            victim.restart()
        victim.kill()
    with Running([Pipeline(kafka, topic, name, works.copied(target), member="one")]):
        write(log, 99, 3)
        is_copied(kafka, topic, target)


@pytest.mark.parametrize("step", ["written", "about to commit"])
def test_one_that_slept_past_its_session_cannot_commit(
    kafka: Kafka, topic: str, log: KafkaEventLog, target: str, step: str
) -> None:
    name = kafka.name("copy")
    config = kafka.config()
    write(log, 1, 5)
    with Actor(works.copy, config=config, source=topic, target=target, name=name, member="one") as zombie:
        zombie.until(step)
        zombie.pause()
        with Running([Pipeline(kafka, topic, name, works.copied(target), member="one")]):  # its successor, by its name
            is_copied(kafka, topic, target)
            zombie.resume()
            write(log, 2, 5)
            is_copied(kafka, topic, target)


def test_a_commit_without_an_answer_tears_nothing(
    kafka: Kafka, topic: str, log: KafkaEventLog, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network keeps a commit until the producer after it is at work (P9)."""
    monkeypatch.setattr(settings, "ANSWER_SECONDS", 2.0)
    with FaultProxy(kafka) as proxy:
        kept = proxy.hold(Frames("EndTxn", nth=1))
        copying = Pipeline(Kafka(proxy.config(), None), topic, kafka.name("copy"), works.copied(target))
        write(log, 1, 3)
        with Running([copying]):
            kept.wait()
            is_copied(kafka, topic, target)
            kept.release()
            write(log, 2, 3)
            is_copied(kafka, topic, target)


def test_a_take_over_without_an_answer_is_tried_again(
    kafka: Kafka, topic: str, log: KafkaEventLog, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a partition is given to it, in a callback of the client's."""
    monkeypatch.setattr(settings, "ANSWER_SECONDS", 1.0)
    write(log, 1, 3)
    with FaultProxy(kafka) as proxy:
        unheard = proxy.hold(Frames("InitProducerId", "response"))
        copying = Pipeline(Kafka(proxy.config(), None), topic, kafka.name("copy"), works.copied(target))
        with Running([copying]):
            unheard.wait(times=2)  # the second one is that of the next attempt
            unheard.release()
            is_copied(kafka, topic, target)


def test_a_group_whose_coordinator_is_not_found_does_not_stop_it(
    kafka: Kafka, topic: str, log: KafkaEventLog, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long librdkafka waits for it (https://github.com/confluentinc/librdkafka/issues/5456)."""
    monkeypatch.setattr(settings, "ANSWER_SECONDS", 1.0)
    longer = {f"{what}.timeout.ms": 2000 * PATIENCE_SECONDS for what in ("socket", "transaction")}
    monkeypatch.setattr(settings, "transactions", partial(settings.transactions, **longer))
    write(log, 1, 3)
    with FaultProxy(kafka) as proxy:
        unheard: list[Rule] = []

        def copied(record: Record) -> Iterable[Output]:
            if not unheard:  # the next one who asks for a coordinator is the producer, when it commits
                unheard.append(proxy.hold(Frames("FindCoordinator", nth=1)))
            return works.copied(target)(record)

        with Running([Pipeline(Kafka(proxy.config(), None), topic, kafka.name("copy"), copied)]):
            is_copied(kafka, topic, target)
            assert unheard[0].struck == 1
            unheard[0].release()


def test_a_record_that_cannot_be_processed_stops_it_before_anything_is_written(
    kafka: Kafka, topic: str, log: KafkaEventLog, target: str
) -> None:
    write(log, 1, 1)

    def poisoned(record: object) -> list[Output]:
        raise KeyError("poison")

    with pytest.raises(RecordFailed, match=r"stopped before .*offset 0 .*KeyError: 'poison'"):
        Pipeline(kafka, topic, kafka.name("copy"), poisoned).run()
    assert contents(kafka, target) == []


def test_records_that_were_deleted_unread_are_missed(kafka: Kafka, topic: str, log: KafkaEventLog, target: str) -> None:
    write(log, 1, 5)
    for future in kafka.admin.delete_records([TopicPartition(topic, 0, 1)]).values():
        future.result(PATIENCE_SECONDS)
    with pytest.raises(RecordsLost, match="deleted unread"):
        Pipeline(kafka, topic, kafka.name("copy"), works.copied(target)).run()


def test_a_commit_is_waited_for_less_long_than_librdkafka_waits_for_a_socket() -> None:
    assert settings.transactions("one")["socket.timeout.ms"] > 1000 * settings.ANSWER_SECONDS
