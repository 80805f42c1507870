import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eventlab.pitfalls.checkers import causal_inversions, inversions, strays

from .histories import clean_histories, history, reread


@pytest.mark.parametrize("checker", [inversions, causal_inversions, strays])
@given(history=clean_histories())
def test_a_clean_history_has_nothing_wrong(checker, history):
    assert checker(history) == []


@given(history=clean_histories(), data=st.data())
def test_a_record_read_too_late_is_found_and_no_other(history, data):
    records = history.read
    planted = data.draw(st.sampled_from(records))
    later = [record for record in records if record.key == planted.key and record.version > planted.version]
    assume(later)
    overtaken_by = data.draw(st.sampled_from(later))
    rest = [record for record in records if record is not planted]
    rest.insert(rest.index(overtaken_by) + 1, planted)
    for checker, wrong in ((inversions, planted.id), (causal_inversions, f"{planted.key}/{planted.version + 1}")):
        assert [record.id for record in checker(reread(rest))] == [wrong]


@given(records=clean_histories().flatmap(lambda history: st.permutations(history.read)))
def test_whatever_the_order_inversions_are_the_records_behind_a_later_version(records):
    history = reread(records)
    records = history.read
    behind = [
        record
        for place, record in enumerate(records)
        if any(other.key == record.key and other.version > record.version for other in records[:place])
    ]
    assert inversions(history) == behind


@given(records=clean_histories().flatmap(lambda history: st.permutations(history.read)))
def test_whatever_the_order_causal_inversions_are_the_effects_whose_cause_comes_behind_them(records):
    history = reread(records)
    records = history.read
    ahead = [
        record
        for place, record in enumerate(records)
        if any(other.id == record.cause for other in records[place + 1 :])
    ]
    assert causal_inversions(history) == ahead


@given(clean=clean_histories(), data=st.data())
def test_a_record_on_another_partition_is_found_and_no_other(clean, data):
    records = clean.read
    planted = data.draw(st.sampled_from(records[1:])) if len(records) > 1 else None
    assume(planted and any(record.key == planted.key for record in records[: planted.order]))
    moved = [
        (record.key, record.version, record.partition + (record is planted), 0, record.cause) for record in records
    ]
    assert [record.id for record in strays(history(*moved))] == [planted.id]


def test_a_duplicate_is_not_an_inversion():
    assert inversions(history(("cart-1", 1), ("cart-1", 1), ("cart-1", 2))) == []


def test_an_effect_whose_cause_never_came_is_not_out_of_order():
    assert causal_inversions(history(("order-1", 2, 0, 0, "order-1/1"))) == []


def test_a_cause_read_twice_counts_from_the_first_time():
    cause, effect = ("order-1", 1), ("order-1", 2, 0, 0, "order-1/1")
    assert causal_inversions(history(cause, effect, cause)) == []
    assert len(causal_inversions(history(effect, cause, cause))) == 1
