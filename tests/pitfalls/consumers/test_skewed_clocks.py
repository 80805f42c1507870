from datetime import timedelta

import pytest

from eventlab.cluster import LabError
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.consumers import skewed_clocks


def test_a_fast_clock_costs_others_their_events_and_a_slow_one_its_own(kafka):
    events = skewed_clocks.day()
    noon = len(events) // 2
    youngest = max(at for at, _ in events[:noon])
    missed = lost_writes(skewed_clocks.run(kafka).history)
    assert missed == [fact for at, fact in events[noon:] if at <= youngest]
    assert len({fact.key for fact in missed}) > 2, "not only the two carts whose phones are wrong"


def test_versions_find_all_of_them_each_once(kafka):
    result = skewed_clocks.run(kafka, by="version")
    assert sorted(record.id for record in result.records) == sorted(fact.id for _, fact in skewed_clocks.day())


def test_one_clock_for_all_is_enough_for_a_reader_by_time(kafka):
    assert skewed_clocks.run(kafka, timestamp="LogAppendTime").count == 0


def test_a_clock_that_is_more_than_an_hour_ahead_is_refused(kafka):
    with pytest.raises(LabError, match="Invalid timestamp"):
        skewed_clocks.run(kafka, fast=timedelta(hours=2))
