import pytest

from eventlab.pitfalls.checkers import inversions, lost_writes, version_gaps
from eventlab.pitfalls.consumers import poison_event


@pytest.fixture(scope="module")
def stuck(kafka):
    return poison_event.run(kafka)


def lags(result):
    return result.lags.pivot(index="round", columns="partition", values="lag")


def test_one_partition_stands_still_and_its_lag_grows_from_round_to_round(stuck):
    still = lags(stuck).loc[:, lags(stuck).iloc[-1] > 0]
    assert still.shape == (poison_event.ROUNDS, 1)
    assert still.iloc[:, 0].is_monotonic_increasing
    homes = {attempt.fact.key: attempt.partition for attempt in stuck.history.sent}
    assert {homes[key] for key in stuck.wrong} == set(still.columns)
    assert f"partition {still.columns[0]} {still.iloc[-1, 0]}" in stuck.lag().alt


def test_with_its_cart_parked_nothing_waits_and_one_number_says_that_something_is_wrong(kafka, stuck):
    result = poison_event.run(kafka, on_unreadable="park the key")
    assert lags(result).to_numpy().max() == 0
    [(cart, events)] = result.parked.items()
    assert {fact.key for fact in lost_writes(result.history)} == {cart}
    assert len(lost_writes(result.history)) == events > 1
    assert cart in stuck.wrong


@pytest.mark.parametrize("cure", ["try again", "park the key"])
def test_a_mended_view_makes_good_all_of_it_in_order(kafka, cure):
    result = poison_event.run(kafka, on_unreadable=cure, mended=True)
    assert {record.id for record in result.records} == {attempt.fact.id for attempt in result.history.sent}
    assert not inversions(result.history)
    assert not result.parked


def test_whoever_leaves_the_event_out_has_no_lag_and_a_cart_with_a_hole_for_good(kafka):
    result = poison_event.run(kafka, on_unreadable="skip", mended=True)
    assert result.count == lags(result).to_numpy().max() == 0
    assert len(version_gaps(result.history)) == 1
