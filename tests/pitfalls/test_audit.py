"""The audit of a topic finds what is planted, batch by batch, and agrees with the checkers that hold it all."""

import json
import os
import pty
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.cluster import LabError
from eventlab.pitfalls.audit import MOST_GAPS, Audit, audit
from eventlab.pitfalls.checkers import duplicates, inversions, strays, version_gaps
from eventlab.pitfalls.history import History
from eventlab.pitfalls.places import taker
from eventlab.pitfalls.topics import read

from .histories import history

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TAKES = taker("key", str | int), taker("$.version", int)


def message(key, version, partition=0, offset=0):
    return Message("topic", partition, offset, key.encode(), json.dumps({"version": version}).encode())


def looked(entries, batch=3, **options):
    """An audit of entries: key, version, partition."""
    found = Audit(3, *TAKES, **options)
    messages = [message(*entry, offset=offset) for offset, entry in enumerate(entries)]
    for start in range(0, len(messages), batch):
        found.look(messages[start : start + batch])
    found.finish()
    return found


def counts(found):
    return {name: finding.count for name, finding in found.findings.items() if finding.count}


KEYS = st.sampled_from(["a", "b"])
ENTRIES = st.lists(st.tuples(KEYS, st.integers(1, 8), st.integers(0, 2)), max_size=25)


@given(lengths=st.dictionaries(st.text("abc", min_size=1), st.integers(1, 6), max_size=5), data=st.data())
def test_a_clean_topic_is_clean(lengths, data):
    turns = data.draw(st.permutations([key for key, length in lengths.items() for _ in range(length)]))
    versions = dict.fromkeys(lengths, 0)
    entries = []
    for key in turns:
        versions[key] += 1
        entries.append((key, versions[key], len(key) % 3))
    found = looked(entries)
    assert found.clean
    assert (found.records, found.keys) == (len(turns), len(lengths))


@given(entries=ENTRIES)
def test_it_counts_what_can_be_counted_with_everything_in_mind(entries):
    found = looked(entries)
    met, furthest, late, twice, places = defaultdict(set), {}, 0, 0, defaultdict(set)
    for key, version, partition in entries:
        twice += version in met[key]
        late += version not in met[key] and version < furthest.get((key, partition), 0)
        furthest[key, partition] = max(version, furthest.get((key, partition), 0))
        met[key].add(version)
        places[key].add(partition)
    missing = sum(max(versions) - len(versions) for versions in met.values())
    split = sum(len(partitions) > 1 for partitions in places.values())
    expected = {"inversions": late, "duplicates": twice, "gaps": missing, "split": split}
    assert counts(found) == {name: count for name, count in expected.items() if count}


@given(entries=st.lists(st.tuples(KEYS, st.integers(1, 8)), max_size=20, unique=True))
def test_on_one_partition_it_names_the_entities_that_the_checkers_name(entries):
    found, whole = looked([(*entry, 0) for entry in entries]), history(*entries)
    checkers = {"inversions": inversions, "gaps": version_gaps, "duplicates": duplicates, "split": strays}
    for name, checker in checkers.items():
        named = {key.decode() for key in found.findings[name].entities}
        assert named == {record.key for record in checker(whole)}, name


def test_the_first_of_each_kind_are_shown_with_their_place():
    found = looked([("a", 1, 0), ("a", 4, 0), ("a", 2, 0), ("a", 2, 0), ("b", 1, 0), ("b", 2, 1)])
    assert found.inversions.examples == [{"key": "a", "after": 4, "version": 2, "partition": 0, "offset": 2}]
    assert found.duplicates.examples == [{"key": "a", "version": 2, "partition": 0, "offset": 3}]
    assert found.gaps.examples == [{"key": "a", "versions": [3, 3]}]
    assert found.split.examples == [{"key": "b", "partitions": [0, 1]}]


def test_a_story_that_has_lost_its_beginning():
    assert counts(looked([("a", 5, 0), ("a", 6, 0)])) == {"gaps": 4}
    assert counts(looked([("a", 5, 0), ("a", 7, 0)], from_middle=True)) == {"gaps": 1}
    assert counts(looked([("a", 5, 0), ("a", 3, 0), ("a", 3, 0)], from_middle=True)) == {
        "inversions": 1,
        "duplicates": 1,
    }, "what lies between may be older than what is looked at"


def test_stories_that_begin_at_zero():
    entries = [("a", 0, 0), ("a", 1, 0), ("b", 1, 0)]
    assert counts(looked(entries, first=0)) == {"gaps": 1}
    found = looked(entries)
    assert found.unreadable.examples == [{"partition": 0, "offset": 0, "why": "its version, 0, is before the first, 1"}]


@settings(deadline=None)
@given(versions=st.permutations(range(1, 60)))
def test_memory_is_bounded_for_an_entity_whatever_comes(versions):
    found = Audit(1, *TAKES)
    for version in versions:
        found.look([message("a", version)])
        assert len(found._missing.get(b"a", [])) <= MOST_GAPS


def test_more_gaps_than_it_keeps_in_mind_are_counted_and_the_oldest_is_given_up():
    odd = [("a", version, 0) for version in range(2, 2 * MOST_GAPS + 4, 2)]
    assert counts(looked(odd)) == {"gaps": MOST_GAPS + 1}
    assert counts(looked([*odd, ("a", 3, 0)])) == {"gaps": MOST_GAPS, "inversions": 1}
    assert counts(looked([*odd, ("a", 1, 0)])) == {"gaps": MOST_GAPS + 1, "duplicates": 1}


@pytest.mark.parametrize("where", range(5))
def test_what_cannot_be_read_is_named_and_the_rest_is_looked_at(where):
    good = [message("a", version, offset=version) for version in range(1, 5)]
    bad = Message("topic", 2, 99, b"a", b"nonsense")
    tombstone = Message("topic", 0, 98, b"a", None)
    found = Audit(3, *TAKES)
    found.look([*good[:where], bad, tombstone, *good[where:]])
    found.finish()
    assert counts(found) == {"unreadable": 1}
    assert (found.records, found.tombstones) == (6, 1)
    [example] = found.unreadable.examples
    assert (example["partition"], example["offset"]) == (2, 99)
    assert "JSON is malformed" in example["why"]


class TestPlaces:
    VALUE = b'{"order": {"id": "o-1", "customer-id": 7, "text": "a, b] }"}, "version": "3"}'
    RECORD = Message("topic", 0, 0, b"\xff\x00", VALUE, [("seq", b"1"), ("seq", b"12"), ("none", None)])

    @pytest.mark.parametrize(
        ("place", "kind", "told"),
        [
            ("key", str | int, b"\xff\x00"),
            ("$.order.id", str | int, "o-1"),
            ("$.order.customer-id", str | int, 7),
            ("$.version", int, 3),
            ("$.version", str | int, "3"),
            ("header:seq", int, 12),
        ],
    )
    def test_what_stands_there(self, place, kind, told):
        assert taker(place, kind)([self.RECORD] * 3) == [told] * 3

    @pytest.mark.parametrize(
        ("place", "kind", "why"),
        [
            ("key", int, "not a whole number"),
            ("$.order.nr", int, "missing required field `nr`"),
            ("$.order", int, "Expected `int`, got `object` - at `$.order`"),
            ("$.order.id", int, "the value: .*at `$.order.id`"),
            ("header:none", int, "the record has no header none"),
            ("header:other", str | int, "the record has no header other"),
        ],
    )
    def test_what_does_not_stand_there(self, place, kind, why):
        with pytest.raises(ValueError, match=why.replace("$", r"\$")):
            taker(place, kind)([self.RECORD])

    @pytest.mark.parametrize("value", [b"", b" ", b"{}", b'{"version": 1}, {"version": 2}', b'{"version": 1.5}', None])
    def test_values_that_are_not_what_they_should_be(self, value):
        with pytest.raises(ValueError, match="the value"):
            taker("$.version", int)([Message("topic", 0, 0, b"a", value)])

    @pytest.mark.parametrize("place", ["", "value", "$", "$.", "header:", "$.a[0]", "$.a b", "$..a", "version"])
    def test_no_place_at_all(self, place):
        with pytest.raises(ValueError, match="is no place in a record; give key, header:NAME or a path"):
            taker(place, int)


KEPT = {"retention_ms": -1}  # the records' times are old, and the brokers look often for what they may delete


def write(kafka, topic, entries):
    """Entries: key, version and perhaps partition. The version is in the value and in a header."""
    producer = Producer(kafka.config(**{"log_level": 0}))
    for number, (key, version, *partition) in enumerate(entries):
        fact = {"key": key, "version": version, "type": "t", "label": "l", "producer": "p", "cause": ""}
        producer.produce(
            topic,
            json.dumps(fact).encode(),
            key.encode(),
            partition=partition[0] if partition else 0,
            headers={"version": str(version)},
            timestamp=round((NOON + timedelta(seconds=number)).timestamp() * 1000),
        )
    assert producer.flush(30) == 0
    producer.close()


def disorder():
    """Some 3,000 records of 300 entities, of which some come late, twice, or not at all."""
    entries = [(f"cart-{number}", version) for version in range(1, 11) for number in range(300)]
    entries.remove(("cart-7", 4))
    entries.remove(("cart-8", 5))
    entries.append(("cart-8", 5))
    entries.append(("cart-9", 2))
    return entries


class TestOnATopic:
    @pytest.fixture(scope="class")
    @classmethod
    def topic(cls, kafka):
        name = kafka.topic("carts", **KEPT)
        write(kafka, name, disorder())
        return name

    @pytest.mark.parametrize(("key", "version"), [("key", "$.version"), ("$.key", "header:version")])
    def test_it_finds_what_is_there(self, kafka, topic, key, version):
        told = []
        found = audit(kafka, topic, key=key, version=version, progress=lambda *now: told.append(now))
        assert counts(found) == {"inversions": 1, "gaps": 1, "duplicates": 1}
        assert (found.records, found.keys) == (3000, 300)
        assert told == sorted(told)
        assert told[-1] == (3000, 3000)

    def test_the_checkers_say_the_same_of_what_a_reader_read(self, kafka, topic):
        whole, found = History(read(kafka, topic)), audit(kafka, topic, key="$.key", version="$.version")
        assert found.gaps.entities == {record.key for record in version_gaps(whole)} == {"cart-7"}
        assert found.duplicates.entities == {record.key for record in duplicates(whole)} == {"cart-9"}

    def test_since_a_time_looks_at_what_is_younger(self, kafka, topic):
        since = NOON + timedelta(seconds=2700)  # the last round, with what was repaired
        found = audit(kafka, topic, key="key", version="$.version", since=since)
        assert found.records == 300
        assert counts(found) == {"inversions": 2}

    def test_nothing_is_written_or_committed(self, kafka, topic):
        before = kafka.admin.list_topics(timeout=10).topics.keys()
        audit(kafka, topic, key="key", version="$.version")
        assert kafka.admin.list_topics(timeout=10).topics.keys() == before
        assert "eventlab-scan" not in {group.group_id for group in kafka.admin.list_consumer_groups().result(30).valid}

    def test_places_that_no_record_has_are_an_error(self, kafka, topic):
        with pytest.raises(LabError, match=r"No record of .* \[0\] offset 0: the value: .*`edition`"):
            audit(kafka, topic, key="key", version="$.edition")


def eventlab_check(kafka, *arguments, **options):
    command = [Path(sys.executable).with_name("eventlab"), "check", *arguments]
    environment = {**os.environ, "EVENTLAB_KAFKA": kafka.bootstrap}
    settings = {"capture_output": True, "text": True, "timeout": 60, "env": environment, **options}
    return subprocess.run(command, check=False, **settings)


class TestCommand:
    @pytest.fixture(scope="class")
    @classmethod
    def clean(cls, kafka):
        name = kafka.topic("clean", partitions=2, **KEPT)
        write(kafka, name, [(f"cart-{number}", version, number % 2) for version in (1, 2) for number in range(50)])
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def dirty(cls, kafka):
        name = kafka.topic("dirty", **KEPT)
        write(kafka, name, disorder())
        return name

    def test_all_is_well(self, kafka, clean):
        done = eventlab_check(kafka, clean, "--version", "$.version")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{clean}: 100 records of 50 entities, in ")
        assert done.stdout.endswith("Nothing is missing, doubled or out of order.\n")

    def test_something_is_found(self, kafka, dirty):
        done = eventlab_check(kafka, dirty, "--key", "$.key", "--version", "header:version")
        assert done.returncode == 1
        assert "gaps: 1 versions are missing (1 entities)\n  cart-7: versions [4, 4]\n" in done.stdout
        assert "\n  cart-8: after 10, version 5, partition 0, offset 2998\n" in done.stdout
        assert "unreadable" not in done.stdout

    def test_as_json(self, kafka, dirty, clean):
        told = json.loads(eventlab_check(kafka, dirty, "--version", "$.version", "--json").stdout)
        assert (told["topic"], told["records"], told["keys"], told["clean"]) == (dirty, 3000, 300, False)
        assert told["duplicates"] == {
            "count": 1,
            "keys": 1,
            "examples": [{"key": "cart-9", "version": 2, "partition": 0, "offset": 2999}],
        }
        assert json.loads(eventlab_check(kafka, clean, "--version", "$.version", "--json").stdout)["clean"] is True

    def test_before_a_terminal_it_says_how_far_it_is(self, kafka, dirty):
        ours, theirs = pty.openpty()
        done = eventlab_check(
            kafka, dirty, "--version", "$.version", "--json",
            capture_output=False, stdout=subprocess.PIPE, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        shown = os.read(ours, 100_000).decode()
        os.close(ours)
        assert "3000/3000" in shown
        assert json.loads(done.stdout)["records"] == 3000

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["not-there", "--version", "$.version"], "has no topic not-there"),
            (["TOPIC", "--version", "$.nothing"], "missing required field `nothing`"),
            (["TOPIC", "--version", "number"], "'number' is no place in a record"),
            (["TOPIC"], "Missing option '--version'"),
            (["TOPIC", "--version", "$.version", "--since", "yesterday"], "'yesterday' is no time; write 2026-11-23"),
        ],
    )
    def test_what_cannot_be_checked_gets_a_sentence_and_exit_code_2(self, kafka, clean, arguments, told):
        done = eventlab_check(kafka, *[clean if argument == "TOPIC" else argument for argument in arguments])
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr

    def test_an_empty_topic_is_not_called_well(self, kafka):
        topic = kafka.topic("empty")
        done = eventlab_check(kafka, topic, "--version", "$.version")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{topic} has no record to look at" in done.stderr

    def test_without_a_lab_it_says_so_and_starts_none(self, kafka, tmp_path):
        environment = {**os.environ, "EVENTLAB_HOME": str(tmp_path)}
        done = eventlab_check(kafka, "carts", "--version", "$.version", env=environment)
        assert done.returncode == 2
        assert "eventlab up" in done.stderr
        assert list(tmp_path.iterdir()) == []
