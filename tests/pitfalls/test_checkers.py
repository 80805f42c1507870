"""Every checker finds what was planted, exactly, and nothing in what a cluster that keeps its promises does."""

from dataclasses import replace

import networkx  # noqa: F401 (cycles() imports it when it is needed: here, so that no example of Hypothesis waits)
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eventlab.pitfalls.checkers import (
    ALL,
    aborted_reads,
    causal_inversions,
    conflicting_versions,
    cycles,
    duplicates,
    inconsistent_offsets,
    inversions,
    lost_writes,
    nonmonotonic_polls,
    nonmonotonic_sends,
    poll_skips,
    repeats,
    stale_decisions,
    strays,
    torn_transactions,
    unseen,
    version_gaps,
)
from eventlab.pitfalls.history import History, Sent

from .histories import clean_histories, end, fact, history, plant, read, reread, without

ONE_READER = clean_histories(readers=1).filter(lambda clean: clean.read)
HISTORIES = clean_histories().filter(lambda clean: clean.read)


def found(history, *, but=()):
    """The checkers that find something, by name."""
    return {checker.__name__ for checker in ALL if checker not in but and checker(history)}


def a_record(data, history, which=lambda record: True):
    records = [record for record in history.read if which(record)]
    assume(records)
    return data.draw(st.sampled_from(records))


@given(clean=clean_histories())
def test_a_clean_history_has_nothing_wrong(clean):
    assert found(clean) == set()


@given(clean=clean_histories(to_end=False))
def test_as_long_as_readers_are_on_their_way_there_is_only_more_to_come(clean):
    assert found(clean, but=(unseen,)) == set()
    read = {record.fact for record in clean.read}
    acknowledged = [attempt.fact for attempt in clean.sent if attempt.status == "ok"]
    assert unseen(clean) == [each for each in acknowledged if each not in read]


def test_a_history_of_nothing():
    assert found(History(())) == set()


class TestContent:
    @given(clean=HISTORIES, data=st.data())
    def test_an_acknowledged_fact_that_nobody_read_is_lost(self, clean, data):
        gone = data.draw(st.sampled_from(clean.sent))
        planted = without(clean, gone.fact)
        acknowledged = any(attempt.status == "ok" for attempt in clean.attempts[gone.fact])
        assert lost_writes(planted) == ([gone.fact] if acknowledged else [])
        assert unseen(planted) == []

    @given(clean=clean_histories(to_end=False), data=st.data())
    def test_it_is_lost_once_somebody_read_past_it_and_until_then_it_is_unseen(self, clean, data):
        acknowledged = [attempt for attempt in clean.sent if attempt.status == "ok"]
        assume(acknowledged)
        gone = data.draw(st.sampled_from(acknowledged))
        planted = without(clean, gone.fact)
        passed = gone.place and any(
            record.partition == gone.partition and record.offset > gone.offset for record in planted.read
        )
        assert lost_writes(planted) == ([gone.fact] if passed else [])
        assert (gone.fact in unseen(planted)) == (not passed)

    @given(clean=HISTORIES, data=st.data())
    def test_a_fact_at_a_second_place_is_a_duplicate(self, clean, data):
        twice = a_record(data, clean)
        again = read(twice.fact, end(clean, twice.partition), twice.reader)
        planted = plant(clean, again)
        assert [record.place for record in duplicates(planted)] == [again.place]
        assert found(planted) <= {"duplicates", "repeats", "inversions"}

    @given(clean=HISTORIES, data=st.data(), moved=st.booleans())
    def test_what_the_same_reader_takes_again_is_a_repeat_wherever_it_lies(self, clean, data, moved):
        twice = a_record(data, clean)
        again = read(twice.fact, end(clean, twice.partition) if moved else twice.place, twice.reader)
        assert [record.place for record in repeats(plant(clean, again))] == [again.place]
        somebody_else = read(twice.fact, again.place, "auditor")
        assert repeats(plant(clean, somebody_else)) == []

    @given(clean=HISTORIES, data=st.data())
    def test_two_facts_at_one_place(self, clean, data):
        one = a_record(data, clean)
        other = replace(one.fact, label="removed")
        planted = plant(clean, read(other, one.place, reader="auditor"))
        assert inconsistent_offsets(planted) == [other]
        assert found(planted, but=(conflicting_versions,)) == {"inconsistent_offsets"}

    @given(clean=HISTORIES, data=st.data())
    def test_an_acknowledgement_that_names_another_facts_place(self, clean, data):
        one = a_record(data, clean)
        wrong = Sent(fact("cart-99", 1), "unknown", *one.place)
        said = any(attempt.place == one.place for attempt in clean.sent)
        assert inconsistent_offsets(plant(clean, sent=[wrong])) == [wrong.fact if said else one.fact]

    @given(clean=HISTORIES, data=st.data())
    def test_two_facts_with_one_version(self, clean, data):
        one = a_record(data, clean)
        other = replace(one.fact, producer="zombie")
        planted = plant(clean, read(other, end(clean, one.partition), one.reader))
        assert [record.fact for record in conflicting_versions(planted)] == [other]
        assert duplicates(planted) == []

    @given(clean=HISTORIES, data=st.data())
    def test_a_version_that_nobody_read_leaves_a_gap_unless_it_was_the_last(self, clean, data):
        gone = a_record(data, clean)
        planted = without(clean, gone.fact)
        after = [record.id for record in planted.read if record.key == gone.key and record.version == gone.version + 1]
        assert [record.id for record in version_gaps(planted)] == after[:1]


class TestTransactions:
    @given(clean=HISTORIES, place=st.booleans())
    def test_what_failed_for_good_is_not_to_be_read(self, clean, place):
        failed = fact("cart-99", 1)
        where = end(clean, 0)
        planted = plant(clean, read(failed, where), sent=[Sent(failed, "fail", *(where if place else (None, None)))])
        assert [record.fact for record in aborted_reads(planted)] == [failed]
        assert found(planted) == {"aborted_reads"}

    @given(clean=HISTORIES, data=st.data())
    def test_what_was_aborted_is_not_to_be_read_even_if_it_was_sent_again(self, clean, data):
        again = a_record(data, clean)
        where = end(clean, again.partition)
        planted = plant(clean, read(again.fact, where, again.reader), sent=[Sent(again.fact, "fail", *where)])
        assert [record.place for record in aborted_reads(planted)] == [where]

    @pytest.mark.parametrize("other", ["ok", "unknown"])
    def test_what_may_come_from_another_attempt_is_not_accused(self, other):
        one = fact("cart-1", 1)
        planted = History((read(one, (0, 5)),), (Sent(one, "fail"), Sent(one, other)))
        assert aborted_reads(planted) == []

    @given(clean=HISTORIES, data=st.data())
    def test_a_transaction_of_which_one_fact_is_missing_is_torn(self, clean, data):
        sizes = {}
        for attempt in clean.sent:
            if attempt.transaction and attempt.status != "fail" and attempt.fact in clean.places:
                sizes.setdefault(attempt.transaction, []).append(attempt)
        torn = [attempts for attempts in sizes.values() if len(attempts) > 1]
        assume(torn)
        gone, *rest = data.draw(st.sampled_from(torn).flatmap(st.permutations))
        known = [each for each in rest if each.place or len(clean.attempts[each.fact]) == 1]
        assert torn_transactions(without(clean, gone.fact)) == ([gone.fact] if known else [])

    def test_a_debit_that_was_sent_again_proves_nothing_about_the_transaction_that_was_aborted(self):
        debit, credit = fact("account-1", 1), fact("account-2", 1)
        sent = (Sent(debit, "fail", transaction="first"), Sent(credit, "fail", transaction="first"), Sent(debit, "ok"))
        assert torn_transactions(History((read(debit, (0, 9)),), sent)) == []

    def test_as_long_as_the_reader_is_on_its_way_the_rest_may_come(self):
        debit, credit = fact("account-1", 1), fact("account-2", 1)
        sent = (Sent(debit, "ok", 0, 4, "t"), Sent(credit, "ok", 1, 7, "t"))
        behind = [read(debit, (0, 4)), read(fact("account-9", 1), (1, 6))]
        assert torn_transactions(History(tuple(behind), sent, to_end=False)) == []
        past = [*behind, read(fact("account-9", 2), (1, 9))]
        assert torn_transactions(History(tuple(past), sent, to_end=False)) == [credit]


class TestOrder:
    @given(clean=ONE_READER, data=st.data())
    def test_a_record_read_too_late_is_found_and_no_other(self, clean, data):
        records = clean.read
        planted = data.draw(st.sampled_from(records))
        later = [record for record in records if record.key == planted.key and record.version > planted.version]
        assume(later)
        overtaken_by = data.draw(st.sampled_from(later))
        rest = [record for record in records if record is not planted]
        rest.insert(rest.index(overtaken_by) + 1, planted)
        for checker, wrong in ((inversions, planted.id), (causal_inversions, f"{planted.key}/{planted.version + 1}")):
            assert [record.id for record in checker(reread(rest))] == [wrong]

    @given(records=ONE_READER.flatmap(lambda history: st.permutations(history.read)))
    def test_whatever_the_order_inversions_are_the_records_behind_a_later_version(self, records):
        history = reread(records)
        records = history.read
        behind = [
            record
            for place, record in enumerate(records)
            if any(other.key == record.key and other.version > record.version for other in records[:place])
        ]
        assert inversions(history) == behind

    @given(records=ONE_READER.flatmap(lambda history: st.permutations(history.read)))
    def test_whatever_the_order_causal_inversions_are_the_effects_whose_cause_comes_behind_them(self, records):
        history = reread(records)
        records = history.read
        ahead = [
            record
            for place, record in enumerate(records)
            if any(other.id == record.cause for other in records[place + 1 :])
        ]
        assert causal_inversions(history) == ahead

    @given(clean=ONE_READER, data=st.data())
    def test_a_record_on_another_partition_is_found_and_no_other(self, clean, data):
        records = clean.read
        planted = data.draw(st.sampled_from(records[1:])) if len(records) > 1 else None
        assume(planted and any(record.key == planted.key for record in records[: planted.order]))
        moved = [
            (record.key, record.version, record.partition + (record is planted), 0, record.cause) for record in records
        ]
        assert [record.id for record in strays(history(*moved))] == [planted.id]

    def test_a_duplicate_is_not_an_inversion(self):
        assert inversions(history(("cart-1", 1), ("cart-1", 1), ("cart-1", 2))) == []

    def test_an_effect_whose_cause_never_came_is_not_out_of_order(self):
        assert causal_inversions(history(("order-1", 2, 0, 0, "order-1/1"))) == []

    def test_a_cause_read_twice_counts_from_the_first_time(self):
        cause, effect = ("order-1", 1), ("order-1", 2, 0, 0, "order-1/1")
        assert causal_inversions(history(cause, effect, cause)) == []
        assert len(causal_inversions(history(effect, cause, cause))) == 1

    @given(clean=clean_histories(readers=2), data=st.data())
    def test_what_one_reader_jumps_over_is_known_from_the_other(self, clean, data):
        def in_the_middle(record):
            lane = [each for each in clean.read if (each.reader, each.partition) == (record.reader, record.partition)]
            return lane.index(record) not in (0, len(lane) - 1)

        gone = a_record(data, clean, in_the_middle)
        planted = clean.reread(tuple(record for record in clean.read if record is not gone))
        assert poll_skips(planted) == [gone.fact]
        assert found(planted, but=(poll_skips, version_gaps)) == set()

    @given(clean=ONE_READER, data=st.data())
    def test_or_from_its_acknowledgement_and_what_is_unknown_is_not_missed(self, clean, data):
        first = a_record(data, clean)
        partition, offset = end(clean, first.partition)
        last = read(fact("cart-99", 1), (partition, offset + 3), first.reader)
        acknowledged, unknown = (
            Sent(fact("cart-98", 1), "ok", partition, offset),
            Sent(fact("cart-97", 1), "unknown", partition, offset + 1),
        )
        assert poll_skips(plant(clean, last, sent=[acknowledged, unknown])) == [acknowledged.fact]

    @given(clean=HISTORIES, data=st.data())
    def test_a_record_that_a_reader_gets_again(self, clean, data):
        again = a_record(data, clean)
        where = data.draw(st.integers(clean.read.index(again) + 1, len(clean.read)))
        planted = clean.reread((*clean.read[:where], again, *clean.read[where:]))
        assert [record.order for record in nonmonotonic_polls(planted)] == [where]
        assert duplicates(planted) == []

    @given(clean=HISTORIES, data=st.data())
    def test_whatever_the_places_sends_that_lie_before_an_earlier_one_are_found(self, clean, data):
        told = [attempt for attempt in clean.sent if attempt.place]
        places = data.draw(st.permutations([attempt.place for attempt in told]))
        sent = [
            replace(attempt, partition=place[0], offset=place[1])
            for attempt, place in zip(told, places, strict=True)
        ]  # fmt: skip
        before = [
            attempt.fact
            for number, attempt in enumerate(sent)
            if any(
                (other.fact.producer, other.partition) == (attempt.fact.producer, attempt.partition)
                and other.offset > attempt.offset
                for other in sent[:number]
            )
        ]
        assert nonmonotonic_sends(History((), tuple(sent))) == list(dict.fromkeys(before))

    def test_a_producer_that_is_told_the_same_place_twice_for_the_same_fact_is_right(self):
        one, other = fact("cart-1", 1), fact("cart-1", 2)
        assert nonmonotonic_sends(History((), (Sent(one, "ok", 0, 3), Sent(one, "ok", 0, 3)))) == []
        assert nonmonotonic_sends(History((), (Sent(one, "ok", 0, 3), Sent(other, "ok", 0, 3)))) == [other]


class TestDecisions:
    @given(clean=ONE_READER, data=st.data())
    def test_a_fact_decided_on_less_than_the_log_holds_before_it(self, clean, data):
        last = a_record(data, clean)
        written = max(record.version for record in clean.read if record.key == last.key)
        seen = data.draw(st.integers(0, written))
        late = fact(last.key, data.draw(st.integers(seen + 1, written + 1)), "zombie")
        planted = plant(clean, read(late, end(clean, last.partition), last.reader), sent=[Sent(late, "ok", seen=seen)])
        stale = seen < written
        assert [record.fact for record in stale_decisions(planted)] == ([late] if stale else [])

    def test_a_fact_that_was_overtaken_on_its_way_was_well_decided(self):
        facts = [fact("cart-1", version) for version in (1, 3, 2)]
        sent = tuple(Sent(each, "ok", seen=each.version - 1) for each in facts)
        overtaken = History(tuple(read(each, (0, offset)) for offset, each in enumerate(facts)), sent)
        assert [record.version for record in inversions(overtaken)] == [2]
        assert stale_decisions(overtaken) == []

    @given(clean=HISTORIES, size=st.integers(2, 4), data=st.data())
    def test_transactions_that_saw_each_others_writes_in_a_ring(self, clean, size, data):
        facts = [fact(f"ring-{number}", 1) for number in range(size)]
        names = [f"ring-{number}" for number in range(size)]
        sent = [Sent(each, "ok", transaction=name) for each, name in zip(facts, names, strict=True)]
        reads = [
            read(each, (7, number), f"ring-reader-{number}", transaction=names[number - 1])
            for number, each in enumerate(facts)
        ]
        assert set(cycles(plant(clean, *reads, sent=sent))) == set(facts)
        gone = data.draw(st.sampled_from(reads))
        assert cycles(plant(clean, *[each for each in reads if each is not gone], sent=sent)) == []

    def test_facts_that_are_each_others_cause(self):
        ring = [fact("a", 1, cause="b/1"), fact("b", 1, cause="a/1")]
        free = [fact("c", 1, cause="a/1"), fact("d", 1)]
        records = tuple(read(each, (0, offset)) for offset, each in enumerate([*ring, *free]))
        assert cycles(History(records)) == ring
        assert cycles(History((read(fact("e", 1, cause="e/1"), (0, 0)),))) == [fact("e", 1, cause="e/1")]

    def test_a_transaction_may_see_what_it_wrote_itself(self):
        one, two = fact("a", 1), fact("a", 2, cause="a/1")
        sent = tuple(Sent(each, "ok", transaction="t") for each in (one, two))
        assert cycles(History((read(one, (0, 0), transaction="t"),), sent)) == []
