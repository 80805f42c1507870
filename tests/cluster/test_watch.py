"""A watch sees what was done to brokers and what the cluster made of it; a harmed cluster is healed."""

import contextlib

import pytest

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.health import healthy
from eventlab.cluster.watch import Sample, Timeline, Watch

from .labs import write
from .test_brokers import three  # noqa: F401 a fixture

ALL = frozenset({1, 2, 3})


def sample(seconds: float, leader: int | None = 1, **processes: str) -> Sample:
    brokers = {number: processes.get(f"b{number}", "running") for number in ALL}
    return Sample(seconds, brokers, ALL, leader, frozenset({1, 2}))


def test_what_a_broker_counts_as_does_not_depend_on_its_process() -> None:
    seen = sample(0, b1="dead")
    assert [seen.role(number) for number in (1, 2, 3, 4)] == ["leader", "in sync", "out of sync", "no copy"]


def test_a_partition_is_led_by_a_leader_that_runs() -> None:
    assert sample(0).led
    assert not sample(0, b1="paused").led
    assert not sample(0, leader=None).led
    assert not sample(0).whole, "a copy is out of sync"


def test_the_longest_time_without_a_leader_counts() -> None:
    died, died_again = {"b1": "dead"}, {"b1": "paused"}
    seen = [sample(0), sample(1, **died), sample(2, **died), sample(2.5), sample(3, **died_again), sample(3.5)]
    assert Timeline(tuple(seen)).leaderless == 1.5
    assert Timeline(tuple(seen[:1])).leaderless == 0
    assert Timeline(tuple(seen[:3])).leaderless == 1, "it is not over yet"


def test_a_leader_is_killed_and_the_watch_sees_another_one_and_the_block_leaves_a_healed_cluster(
    three: Kafka,  # noqa: F811
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


def test_what_does_not_come_in_time_is_an_error(three: Kafka) -> None:  # noqa: F811
    with Watch(three, three.topic("orders")) as watch, pytest.raises(LabError, match=r"did not happen within 0\.3 s"):
        watch.until(lambda seen: seen.leader == 4, seconds=0.3)
