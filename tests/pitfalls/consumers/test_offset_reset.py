import pytest

from eventlab.cluster import LabError
from eventlab.pitfalls.checkers import lost_writes, version_gaps
from eventlab.pitfalls.consumers import offset_reset
from eventlab.pitfalls.shoppers import interleaved, stories

FACTS = interleaved(stories(offset_reset.SHOPPERS), 7)
THIRD, FORGOTTEN = len(FACTS) // 3, len(FACTS) // 3 + len(FACTS) // 4


def test_a_new_group_gets_what_comes_after_it_and_nothing_before(kafka):
    result = offset_reset.run(kafka)
    assert [record.fact for record in result.records] == FACTS[len(FACTS) // 2 :]


def test_who_comes_back_to_a_place_that_is_gone_loses_what_is_still_there(kafka):
    missed = lost_writes(offset_reset.returned(kafka).history)
    assert missed == FACTS[THIRD : 2 * THIRD]
    assert FORGOTTEN < 2 * THIRD, "some of these were in the topic"


def test_the_beginning_has_all_that_is_left_and_only_a_gap_check_tells_of_the_rest(kafka):
    history = offset_reset.returned(kafka, reset="earliest").history
    assert lost_writes(history) == FACTS[THIRD:FORGOTTEN]
    assert version_gaps(history)


def test_an_error_stops_the_service_before_it_skips_anything(kafka):
    with pytest.raises(LabError, match="Offset out of range"):
        offset_reset.returned(kafka, reset="error")
