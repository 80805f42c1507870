"""One lab serves all who ask for it, one after another or at once."""

import contextlib
import signal
from pathlib import Path

import pytest
from confluent_kafka import Consumer, ShareConsumer, TopicPartition

from eventlab.cluster import Kafka, Lab, LabError
from eventlab.cluster.groups import Groups

from .labs import CONNECT, User, eventually, guards, handle, nothing_runs, servers


def test_up_uses_the_lab_that_runs(shared: Lab) -> None:
    shared.up(1)
    first = shared.status()
    shared.up(1)
    shared.up()
    assert shared.status() == first
    assert [process.pid for process in servers(shared.home)] == [first["kafka"]["brokers"][0]["pid"]]


def test_eight_at_once_get_one_lab_that_ends_with_the_last(home: Path) -> None:
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(User(home, CONNECT)) for _ in range(8)]
        assert len({user.line() for user in users}) == 1
        assert len(servers(home)) == 1
        assert len(guards(home)) == 1
        for user in users[1:]:
            user.end(signal.SIGKILL)
        lab = Lab(home)
        state = lab.state()
        assert state
        assert not lab.stop_if_unused(state.token), "stopped while somebody used it"
        assert len(servers(home)) == 1
        users[0].end(signal.SIGKILL)
        eventually(lambda: nothing_runs(home))
    assert lab.status() == {"kafka": None, "postgres": None, "registry": None}


def test_another_size_is_refused_with_the_cure(shared: Lab) -> None:
    shared.up(1)
    with pytest.raises(LabError, match=r"1 broker runs already.*`eventlab down`.*`eventlab up --brokers 3`"):
        shared.up(3)
    assert len(shared.status()["kafka"]["brokers"]) == 1
    with pytest.raises(LabError, match="1 or 3 brokers, not 2"):
        shared.up(2)


def test_two_sizes_at_once_get_two_labs(home: Path) -> None:
    with (
        User(home, CONNECT.replace("()", "(1)", 1)) as one,
        User(home, CONNECT.replace("()", "(3)", 1)) as three,
    ):
        assert [one.line().count(":"), three.line().count(":")] == [1, 3]
        beside = list((home / "extra").iterdir())
        assert len(beside) == 1
    for place in (home, *beside):
        eventually(lambda place=place: nothing_runs(place))


def test_handles_keep_out_of_each_others_way(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_PREFIX", "team-7.ana")
    one, other = handle(lab), handle(lab)
    names = [one.topic("orders"), one.topic("orders"), other.topic("orders")]
    assert len(set(names)) == 3
    assert all(name.startswith("team-7.ana.") and ".orders." in name for name in names)
    one.close()
    eventually(lambda: not set(names[:2]) & there(other))  # a broker hears of it from the controller
    assert names[2] in there(other)
    other.close()


def there(kafka: Kafka) -> set[str]:
    return set(kafka.admin.list_topics(timeout=10).topics)


def test_a_handle_leaves_no_group_behind_and_no_other_handles_group_goes(lab: Lab) -> None:
    one, other = handle(lab), handle(lab)
    topic = other.topic("orders")
    names = [one.group("desk"), other.group("desk")]
    for name in names:
        consumer = Consumer(one.config(**{"group.id": name}))
        consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
        consumer.close()
    shared = one.group("view")
    member = ShareConsumer(one.config(**{"group.id": shared, "log_level": 0}))
    member.subscribe([topic])
    eventually(lambda: member.poll(0.1) or shared in _groups(other))
    member.close()
    one.group("nobody joined it")
    one.close()
    assert not {names[0], shared} & _groups(other)
    assert names[1] in _groups(other)
    other.close()


def _groups(kafka: Kafka) -> set[str]:
    groups = Groups(kafka)
    try:
        return {group.name for group in groups.look()}
    finally:
        groups.close()


@pytest.mark.parametrize("wrong", ["with space", "ä", "a" * 61, "a/b"])
def test_a_prefix_that_kafka_would_not_take_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("EVENTLAB_PREFIX", wrong)
    with pytest.raises(LabError, match=r"EVENTLAB_PREFIX.*letters, digits"):
        handle(lab)


def test_topics_can_be_deleted_before_that_and_only_once(kafka: Kafka) -> None:
    kept, *gone = (kafka.topic("experiment") for _ in range(3))
    kafka.delete(gone)
    kafka.delete(())
    eventually(lambda: not set(gone) & there(kafka))
    assert kept in there(kafka)
    with pytest.raises(LabError, match="did not delete 2 topics"):
        kafka.delete(gone)


def test_a_kernel_that_ends_takes_its_topics_with_it(lab: Lab, kafka: Kafka) -> None:
    with User(lab.home, "k = cluster.connect(); print(k.topic('orders')); raise SystemExit") as it:
        name = it.line()
        eventually(lambda: name not in there(kafka))
    assert lab.state(), "the lab of the others stopped too"


def test_what_kafka_refuses_is_said(kafka: Kafka) -> None:
    with pytest.raises(LabError, match=r"did not create the topic .*orders.*retention"):
        kafka.topic("orders", retention_ms="soon")
    with pytest.raises(LabError, match=r"did not create the topic .*replication"):
        kafka.topic("orders", replication=2)


def test_a_handle_says_when_nobody_answers(shared: Lab) -> None:
    shared.up(1)
    kafka = handle(shared)
    assert "Apache Kafka 4" in repr(kafka)
    assert "1 broker" in kafka._repr_html_()
    shared.down()
    assert "no broker answers" in repr(kafka)
    assert kafka.brokers == []
