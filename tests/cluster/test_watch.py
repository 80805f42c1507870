"""What a watch makes of its looks. That it sees what happens to brokers stands in ``test_brokers.py``."""

from eventlab.cluster.watch import Sample, Timeline

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
