"""Brokers that are killed, paused and started again, as lessons do it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaException, TopicPartition

from eventlab.cli import main
from eventlab.cluster import Kafka, Lab, LabError
from eventlab.cluster.health import healthy
from eventlab.cluster.watch import Watch

from .labs import DEADLINE, eventually, handle, read, write


@pytest.fixture
def three(shared: Lab) -> Iterator[Kafka]:
    """Three brokers that run, whatever the test before did to them."""
    shared.up(3)
    kafka = handle(shared)
    yield kafka
    kafka.close()


def in_sync(kafka: Kafka, topic: str) -> set[int]:
    while True:  # a client may have asked the one that is paused
        with contextlib.suppress(KafkaException):
            return set(kafka.admin.list_topics(topic, timeout=1).topics[topic].partitions[0].isrs)


def test_the_state_shows_what_was_done(three: Kafka) -> None:
    broker = three.brokers[1]
    assert broker.state == "running"
    broker.pause()
    assert broker.state == "paused"
    broker.resume()
    assert broker.state == "running"
    pid, port = broker.pid, broker.port
    broker.kill()
    assert broker.state == "dead"
    assert [other.state for other in three.brokers] == ["running", "dead", "running"]
    for what in (broker.kill, broker.pause, broker.resume):
        with pytest.raises(LabError, match=r"Broker 2 is dead already. `eventlab broker restart 2`"):
            what()
    broker.restart()
    assert (broker.state, broker.port) == ("running", port)
    assert broker.pid != pid
    assert "Broker 2" in repr(broker)


def test_a_broker_dies_and_the_others_go_on(three: Kafka) -> None:
    topic = three.topic("orders")
    write(three.config(), topic, ["before"])
    leader = three.admin.list_topics(topic, timeout=DEADLINE).topics[topic].partitions[0].leader
    victim = three.brokers[leader - 1]
    victim.kill()
    write(three.config(**{"delivery.timeout.ms": round(1000 * DEADLINE)}), topic, ["after"])
    assert read(three.config(), topic, 2) == ["before", "after"]
    victim.restart()
    eventually(lambda: in_sync(three, topic) == {1, 2, 3})


def test_a_paused_broker_falls_out_and_comes_back(three: Kafka) -> None:
    topic = three.topic("orders")
    write(three.config(), topic, ["before"])
    leader = three.admin.list_topics(topic, timeout=DEADLINE).topics[topic].partitions[0].leader
    paused = three.brokers[leader % 3]
    paused.pause()
    eventually(lambda: paused.id not in in_sync(three, topic))
    write(three.config(), topic, ["meanwhile"])
    paused.resume()
    eventually(lambda: in_sync(three, topic) == {1, 2, 3})
    assert read(three.config(), topic, 2) == ["before", "meanwhile"]


def test_who_only_looks_is_told_at_once_and_leaves_a_dead_broker_dead(
    shared: Lab, three: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, group = three.topic("orders"), three.name("desk")
    write(three.config(), topic, ["one"])
    consumer = Consumer(three.config(**{"group.id": group}))
    consumer.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    consumer.close()
    victim = three.brokers[0]
    victim.kill()
    monkeypatch.setenv("EVENTLAB_HOME", str(shared.home))
    done = CliRunner().invoke(main, ["groups", group, "--max-lag", "0"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "0 behind" in done.stdout
    assert [broker.state for broker in three.brokers] == ["dead", "running", "running"]
    victim.restart()
    eventually(lambda: in_sync(three, topic) == {1, 2, 3})


def test_without_a_quorum_restart_does_not_hang_and_up_mends_all(shared: Lab, three: Kafka) -> None:
    topic = three.topic("orders")
    write(three.config(), topic, ["before"])
    brokers = three.brokers
    for broker in brokers:
        broker.kill()
    assert {broker.state for broker in brokers} == {"dead"}
    brokers[0].restart()
    assert [broker.state for broker in brokers] == ["running", "dead", "dead"]
    before = three.bootstrap
    shared.up()
    assert {broker.state for broker in brokers} == {"running"}
    assert handle(shared).bootstrap == before
    assert read(three.config(), topic, 1) == ["before"]


def test_a_leader_is_killed_and_the_watch_sees_another_one_and_the_block_leaves_a_healed_cluster(
    three: Kafka,
) -> None:
    topic = three.topic("orders")
    with Watch(three, topic) as watch:
        with contextlib.suppress(ZeroDivisionError), healthy(three):
            write(three.config(), topic, ["before"])
            before = watch.until(lambda seen: seen.whole)
            others = [broker for broker in three.brokers if broker.id != before.leader]
            for broker in others:  # nobody elects before it was looked
                broker.pause()
            three.brokers[before.leader - 1].kill()
            killed, still = watch.until(lambda seen: True), watch.until(lambda seen: True)
            assert (killed.brokers[before.leader], killed.led, still.led) == ("dead", False, False)
            for broker in others:
                broker.resume()
            after = watch.until(lambda seen: seen.led)
            assert after.leader in before.in_sync - {before.leader}
            watch.note("another one leads")
            others[0].pause()
            raise ZeroDivisionError
        assert {broker.state for broker in three.brokers} == {"running"}
        assert watch.until(lambda seen: True).whole
    timeline = watch.timeline
    assert 0 < still.seconds - killed.seconds <= timeline.leaderless < timeline.samples[-1].seconds
    [(seconds, text)] = timeline.notes
    assert (after.seconds < seconds, text) == (True, "another one leads")


def test_what_does_not_come_in_time_is_an_error(three: Kafka) -> None:
    with Watch(three, three.topic("orders")) as watch, pytest.raises(LabError, match=r"did not happen within 0\.3 s"):
        watch.until(lambda seen: seen.leader == 4, seconds=0.3)


def test_a_broker_restarts_on_its_port_with_its_data_which_outlive_the_lab(own: Lab) -> None:
    own.up(1)
    kafka = handle(own)
    topic = kafka.topic("orders")
    write(kafka.config(), topic, ["kept"])
    broker = kafka.brokers[0]
    port = broker.port
    broker.kill()
    assert [b.state for b in kafka.brokers] == ["dead"]
    assert own.status()["kafka"]["brokers"][0]["state"] == "dead"
    broker.restart()
    assert broker.port == port
    assert read(kafka.config(), topic, 1) == ["kept"]
    # ... and with a new lab, until a reset.
    assert own.down()
    assert not own.down()
    own.up(1)
    assert read(handle(own).config(), topic, 1, **{"group.id": "again"}) == ["kept"]
    removed = own.reset()
    assert {path.name for path in removed} == {"kafka", "logs"}
    own.up(1)
    assert topic not in handle(own).admin.list_topics(timeout=DEADLINE).topics


def test_what_is_not_there_is_said(home: Path, shared: Lab, three: Kafka) -> None:
    nothing = Lab(home)
    for what in (nothing.kill, nothing.pause, nothing.resume):
        with pytest.raises(LabError, match=r"No lab runs here\. `eventlab up` starts one"):
            what(1)
    with pytest.raises(LabError, match="no broker 4: the lab has 3 brokers"):
        shared.kill(4)
    broker = three.brokers[0]
    shared.down()
    with pytest.raises(LabError, match="No lab runs here"):
        shared.restart(1)
    with pytest.raises(LabError, match=r"Run `cluster\.connect"):
        broker.state  # noqa: B018
