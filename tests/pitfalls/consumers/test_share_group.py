import pytest

from eventlab.pitfalls.checkers import duplicates, lost_writes, version_gaps
from eventlab.pitfalls.consumers import share_group


def delivered(result):
    return result.table().set_index(["key", "version"])["delivery"]


def test_what_was_released_comes_again_behind_all_that_was_taken_with_it(kafka):
    result = share_group.run(kafka)
    assert result.count == share_group.FAILURES
    late = result.records[-share_group.FAILURES :]
    assert {record.key for record in late} == set(result.wrong)
    counts = delivered(result)
    assert counts[[(record.key, record.version) for record in late]].tolist() == [2] * share_group.FAILURES
    assert counts.sum() == len(result.records) + share_group.FAILURES
    assert not duplicates(result.history)
    assert not version_gaps(result.history)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_group_whose_partitions_have_one_reader_waits_for_what_failed(kafka, protocol):
    result = share_group.run(kafka, group=protocol)
    assert [record.offset for record in result.records] == list(range(len(result.records)))
    assert (delivered(result) == 2).sum() == share_group.FAILURES


def test_what_fails_each_time_is_handed_over_five_times_and_then_no_more_and_the_group_has_no_lag(kafka):
    result = share_group.given_up(kafka)
    [missing] = lost_writes(result.history)
    assert result.wrong == (missing.key,)
    assert sorted(result.deliveries.values()) == [1] * len(result.records) + [5]
    assert result.table()["version"].size == len(result.history.sent) - 1


def test_two_members_are_enough_and_nothing_has_to_fail(kafka):
    result = share_group.side_by_side(kafka)
    assert result.count > 0
    assert (delivered(result) == 1).all()
    assert not duplicates(result.history)
