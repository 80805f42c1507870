"""Who reads what, how far everybody is, and whether they keep up: as the brokers say it, and as ``eventlab groups``."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer, ShareConsumer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from hypothesis import given
from hypothesis import strategies as st

from eventlab.cli import main
from eventlab.cluster import Kafka, LabError
from eventlab.cluster.clients import await_futures
from eventlab.cluster.faults import Frames
from eventlab.cluster.groups import Group, Groups, Progress, asking, command, keeping_up
from eventlab.cluster.groups.drawing import drawn
from eventlab.cluster.pace import Look, Pace
from eventlab.cluster.proxy import FaultProxy

from .labs import DEADLINE, eventually

RECORDS = 30
NONE = "eventlab: There is no group {}. There"
COMMAND = Path(sys.executable).with_name("eventlab")


@pytest.fixture
def topic(kafka):
    """Two partitions, with :data:`RECORDS` records in each."""
    name = kafka.topic("carts", partitions=2)
    fill(kafka, name)
    return name


def fill(kafka, topic, records=RECORDS, **settings):
    producer = Producer(kafka.config(**settings))
    if "transactional.id" in settings:
        producer.init_transactions()
        producer.begin_transaction()
    for number in range(2 * records):
        producer.produce(topic, b"{}", partition=number % 2)
    assert producer.flush(DEADLINE) == 0
    return producer


@contextlib.contextmanager
def member(kafka, topic, group, client, **settings):
    """A consumer that has its partitions and reads what there is; it commits nothing by itself."""
    common = {"group.id": group, "client.id": client, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    consumer = Consumer(kafka.config(**common, **settings))
    consumer.subscribe([topic])
    try:
        eventually(lambda: consumer.poll(0.1))
        yield consumer
    finally:
        consumer.close()


def commit(kafka, group, *places):
    consumer = Consumer(kafka.config(**{"group.id": group}))
    consumer.commit(offsets=[TopicPartition(*place) for place in places], asynchronous=False)
    consumer.close()


@contextlib.contextmanager
def looking(kafka):
    groups = Groups(kafka)
    try:
        yield groups
    finally:
        groups.close()


def seen(kafka, name):
    with looking(kafka) as groups:
        [group] = groups.look([name])
    return group


def eventlab_groups(*arguments):
    return CliRunner().invoke(main, ["groups", *arguments])


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_group_with_its_members_and_its_lag(kafka, topic, protocol):
    group = kafka.name(protocol)
    with member(kafka, topic, group, "till", **{"group.protocol": protocol}) as consumer:
        consumer.commit(offsets=[TopicPartition(topic, 0, 10), TopicPartition(topic, 1, RECORDS)], asynchronous=False)
        found = seen(kafka, group)
        assert (found.state, found.protocol, found.lag) == ("stable", protocol, RECORDS - 10)
        [one] = found.members
        assert (one.client, one.host, one.partitions) == ("till", "127.0.0.1", ((topic, 0), (topic, 1)))
        assert [(each.partition, each.committed, each.end, each.lag) for each in found.progress] == [
            (0, 10, RECORDS, RECORDS - 10),
            (1, RECORDS, RECORDS, 0),
        ]
        assert [found.owner(each) for each in found.progress] == [one, one]
    assert (seen(kafka, group).state, seen(kafka, group).members) == ("empty", ())


def test_a_share_group_is_seen_too(kafka, topic):
    group = kafka.name("share")
    earliest = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.GROUP, group, incremental_configs=[earliest])
    await_futures(kafka.admin.incremental_alter_configs([resource]))
    consumer = ShareConsumer(kafka.config(**{"group.id": group, "client.id": "packer", "log_level": 3}))
    consumer.subscribe([topic])
    got = []

    def all_done():
        got.extend(consumer.poll(0.1))
        return len(got) == 2 * RECORDS and seen(kafka, group).lag == 0

    try:
        eventually(all_done)
        found = seen(kafka, group)
        assert (found.state, found.protocol) == ("stable", "share")
        assert [(one.client, one.partitions) for one in found.members] == [("packer", ((topic, 0), (topic, 1)))]
        fill(kafka, topic)
        assert seen(kafka, group).lag == 2 * RECORDS
    finally:
        consumer.close()


def test_a_partition_without_a_commit_is_behind_by_all_that_is_there(kafka, topic):
    group = kafka.name("half")
    commit(kafka, group, (topic, 0, RECORDS))
    without = seen(kafka, group).progress[1]
    assert (without.committed, without.lag, without.notes) == (None, RECORDS, ("nothing committed",))


def test_records_that_were_deleted_before_they_were_read_are_named(kafka, topic):
    group = kafka.name("late")
    commit(kafka, group, (topic, 0, 5), (topic, 1, RECORDS))
    await_futures(kafka.admin.delete_records([TopicPartition(topic, 0, 20)]))
    late, well = seen(kafka, group).progress
    assert (late.lost, late.lag, late.notes) == (15, RECORDS - 20, ("15 deleted before they were read",))
    assert (well.lost, well.lag, well.notes) == (0, 0, ())


def test_a_group_beyond_the_end_is_not_well(kafka, topic):
    group = kafka.name("ahead")
    commit(kafka, group, (topic, 0, RECORDS + 7), (topic, 1, RECORDS))
    ahead = seen(kafka, group).progress[0]
    assert (ahead.lag, ahead.beyond) == (0, 7)
    assert ahead.notes == ("7 beyond the end: is it another topic by now?",)


def test_what_lies_behind_an_open_transaction_is_told_apart(kafka, topic):
    group = kafka.name("waiting")
    commit(kafka, group, (topic, 0, RECORDS), (topic, 1, RECORDS))
    producer = fill(kafka, topic, 4, **{"transactional.id": kafka.name("open")})
    found = seen(kafka, group)
    assert [(each.lag, each.held, each.stable) for each in found.progress] == [(4, 4, RECORDS)] * 2
    assert found.progress[0].notes == ("4 behind an open transaction",)
    producer.abort_transaction(DEADLINE)

    def nothing_held():
        return not any(each.held for each in seen(kafka, group).progress)

    eventually(nothing_held)


def test_where_one_partition_cannot_be_told_the_whole_lag_is_unknown_and_no_check_calls_it_well():
    orphan = Progress("carts", 0, 5, trouble="there is no such topic, or you may not see it")
    group = Group("desk", 0.0, "empty", "classic", (), (Progress("carts", 1, 5, 0, 5, 5), orphan))
    assert (orphan.lag, group.lag) == (None, None)
    assert orphan.notes == ("there is no such topic, or you may not see it",)
    assert not command.keeps_up(group, None, allowed=10)
    assert command.verdict([group], ["desk"]) == 2
    assert command.verdict([], [], "the brokers said nothing about share groups") == 2
    assert "? behind" in str(drawn([group], {}).renderables[0])


def test_the_command_shows_a_line_per_partition_and_what_is_special_about_it(kafka, topic):
    group = kafka.name("shown")
    commit(kafka, group, (topic, 0, 10))
    done = eventlab_groups(group)
    assert done.exit_code == 0
    head, _, first, second = done.stdout.strip().splitlines()
    assert head == f"{group}  classic · empty · 0 members · {2 * RECORDS - 10} behind"
    assert first.split() == [topic, "0", "10", f"{RECORDS}", f"{RECORDS - 10}", "–"]
    assert second.split() == [topic, "1", "–", f"{RECORDS}", f"{RECORDS}", "–", "nothing", "committed"]


def test_a_pattern_shows_those_that_fit_as_one_object(kafka, topic):
    groups = [kafka.name("shop") for _ in range(2)]
    for group in groups:
        commit(kafka, group, (topic, 0, 10), (topic, 1, 10))
    commit(kafka, kafka.name("other"), (topic, 0, 10))
    prefix = groups[0].rpartition(".")[0]
    told = json.loads(eventlab_groups(f"{prefix}.*", "--json").stdout)
    assert [each["group"] for each in told["groups"]] == sorted(groups)
    assert told["groups"][0]["lag"] == 2 * (RECORDS - 10)
    assert told["groups"][0]["partitions"][1]["committed"] == 10
    assert "keeps_up" not in told


def test_the_check_is_exit_code_1_when_a_group_is_too_far_behind(kafka, topic):
    group = kafka.name("checked")
    commit(kafka, group, (topic, 0, 10), (topic, 1, RECORDS))
    behind = RECORDS - 10
    assert eventlab_groups(group, "--max-lag", str(behind)).exit_code == 0
    late = eventlab_groups(group, "--max-lag", str(behind - 1), "--json")
    assert (late.exit_code, json.loads(late.stdout)["keeps_up"]) == (1, False)
    still = eventlab_groups(group, "--over", "0.2")
    assert still.exit_code == 1
    assert f"{behind} behind, stands still  does not keep up" in still.stdout


def test_a_group_that_works_keeps_up_although_it_is_behind(kafka, topic):
    group = kafka.name("busy")
    stop = threading.Event()

    def work():
        at = 0
        while not stop.wait(0.05) and at < RECORDS:
            commit(kafka, group, (topic, 0, at), (topic, 1, RECORDS))
            at += 1

    commit(kafka, group, (topic, 0, 0), (topic, 1, RECORDS))
    with member_at_work(work, stop):
        pace = keeping_up(kafka, group, seconds=0.6)
    assert 0 < pace.lag < RECORDS
    assert pace.keeps_up()
    assert pace.there_in > 0
    assert "falls by" in str(pace)


@contextlib.contextmanager
def member_at_work(work, stop):
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_group_that_there_is_not_is_a_sentence_and_exit_code_2(kafka, topic):
    done = eventlab_groups("nobody")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(NONE.format("nobody"))


def test_a_broker_that_says_nothing_of_its_groups_is_asked_again(kafka, topic, monkeypatch):
    monkeypatch.setattr(asking, "_ONE_BROKER_SECONDS", 0.3)
    group = kafka.name("heard")
    commit(kafka, group, (topic, 0, RECORDS), (topic, 1, RECORDS))
    with FaultProxy(kafka) as proxy, looking(Kafka(proxy.config(), None)) as groups:
        first = proxy.drop(Frames("ListGroups", "response", nth=1))
        [found] = groups.look([group])
        assert (first.struck, found.lag, groups.unheard) == (1, 0, "")
        monkeypatch.setattr(asking, "_PATIENCE_SECONDS", 1.0)
        proxy.drop(Frames("ListGroups", "response"))
        with pytest.raises(LabError, match=r"tell nothing of your groups \(.*\)\. Do all of them run"):
            groups.look([group])


def test_without_a_lab_it_starts_none(home, monkeypatch):
    monkeypatch.setenv("EVENTLAB_HOME", str(home))
    done = eventlab_groups()
    assert done.exit_code == 2
    assert done.stderr.startswith("eventlab: No lab runs here.")


def test_on_a_terminal_it_goes_on_until_ctrl_c(kafka, topic):
    group = kafka.name("live")
    commit(kafka, group, (topic, 0, 10), (topic, 1, RECORDS))
    ours, theirs = pty.openpty()
    shown = subprocess.Popen(
        [COMMAND, "groups", group], stdout=theirs, stderr=theirs, process_group=0, env={**os.environ, "COLUMNS": "200"}
    )
    os.close(theirs)
    try:
        until(ours, f"{RECORDS - 10} behind")
        commit(kafka, group, (topic, 0, RECORDS))
        until(ours, "nothing behind")
        shown.send_signal(signal.SIGINT)
        assert shown.wait(DEADLINE) == 0
    finally:
        shown.kill()
        os.close(ours)


def until(terminal, text):
    """Read what a terminal shows until ``text`` came."""
    got, end = "", time.monotonic() + DEADLINE
    while text not in got:
        assert time.monotonic() < end, got
        got += os.read(terminal, 100_000).decode(errors="replace")


@given(lag=st.integers(0, 10**6), done=st.integers(0, 10**6), left=st.integers(0, 10**6), seconds=st.floats(0.1, 100))
def test_a_pace_adds_up(lag, done, left, seconds):
    pace = Pace.between(Look(0.0, lag, 0), Look(seconds, left, done))
    assert pace.lag == left
    if left + done >= lag:  # nothing else took from what was left
        assert pace.falls_by * seconds == pytest.approx(lag - left, abs=1e-3)
    assert pace.keeps_up() == (left == 0 or (done > 0 and pace.falls_by >= 0))
    assert pace.keeps_up(allowed=left)
    if pace.there_in:
        assert pace.there_in * pace.falls_by == pytest.approx(left)


def test_a_pace_in_words():
    def told(lag, done, left):
        return str(Pace.between(Look(0.0, lag, 0), Look(10.0, left, done)))

    assert told(400, 500, 100) == "100 behind, falls by 30/s, there in 3 s"
    assert told(100, 500, 400) == "400 behind, grows by 30/s"
    assert told(100, 500, 100) == "100 behind, does not change, 50/s"
    assert told(100, 0, 100) == "100 behind, stands still"
    assert told(100, 100, 0) == "nothing behind, 10/s"


def test_what_was_set_aside_is_not_kept_up_with():
    pace = Pace.between(Look(0.0, 0, 0), Look(1.0, 0, 0), aside=2)
    assert not pace.keeps_up(allowed=10)
    assert str(pace).endswith(", 2 set aside")
