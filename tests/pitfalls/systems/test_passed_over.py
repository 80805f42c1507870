import pytest

from eventlab.pitfalls.checkers import version_gaps
from eventlab.pitfalls.shoppers import stories
from eventlab.pitfalls.systems import passed_over

FACTS = {fact for story in stories(passed_over.SHOPPERS) for fact in story}
OF_SOCKS = {fact for fact in FACTS if "socks" in fact.label}


def test_exactly_the_events_at_which_the_handler_failed_are_missing_although_it_is_mended(kafka):
    result = passed_over.run(kafka)
    assert FACTS - {record.fact for record in result.records} == OF_SOCKS
    assert version_gaps(result.history), "what came behind them was applied"


@pytest.mark.parametrize("on_failure", ["park", "stop"])
def test_set_aside_or_stopped_the_mended_handler_applies_all_once(kafka, on_failure):
    result = passed_over.run(kafka, on_failure=on_failure)
    assert len(result.records) == len(FACTS)
    assert {record.fact for record in result.records} == FACTS
