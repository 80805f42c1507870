"""The project's own Kafka code while brokers die: a short run of what ``make chaos`` does for five minutes."""

from itertools import islice

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.pitfalls.chaos import chaos, plan, run
from eventlab.pitfalls.chaos.plan import BROKERS, KINDS, LASTS, OF_A_BROKER, QUIET

# Its plan begins with lost answers, a broker that dies with what it alone has, and dead readers, all of them short.
SEED, FAULTS = 118651, 3
SEEDS = st.integers(0, 2**32)
ROUNDS = 5


@given(seed=SEEDS)
def test_the_same_seed_is_the_same_plan(seed):
    faults = list(islice(plan(seed), ROUNDS * len(KINDS)))
    assert faults == list(islice(plan(seed), len(faults)))
    assert faults != list(islice(plan(seed + 1), len(faults)))


@given(seed=SEEDS)
def test_every_kind_comes_in_every_round_and_no_fault_outlasts_what_it_may(seed):
    faults = list(islice(plan(seed), ROUNDS * len(KINDS)))
    for begin in range(0, len(faults), len(KINDS)):
        assert {fault.kind for fault in faults[begin : begin + len(KINDS)]} == set(KINDS)
    for fault in faults:
        assert QUIET[0] <= fault.after <= QUIET[1]
        shortest, longest = LASTS.get(fault.kind, (0, 0))
        assert shortest <= fault.lasts <= longest
        assert fault.broker in (range(1, BROKERS + 1) if fault.kind in OF_A_BROKER else [None])


@pytest.fixture
def whole(kafka3):
    """The cluster; afterwards all of it runs."""
    yield kafka3
    assert [broker.state for broker in kafka3.brokers] == ["running"] * BROKERS


def test_nothing_is_found_in_the_cured_configuration_and_in_the_broken_one_what_has_to_be(whole):
    outcomes = chaos(whole, seed=SEED, faults=FAULTS)
    for outcome in outcomes.values():
        told = outcome.summary()
        assert [strike.fault for strike in outcome.strikes] == list(islice(plan(SEED), FAULTS))
        assert told["sent"] == told["acknowledged"] + told["unknown"] > 0
    cured, broken = outcomes["cured"], outcomes["broken"]
    assert cured.anomalies == {"log": {}, "view": {}, "copies": {}}
    assert cured.clean
    assert facts(cured.log) == facts(cured.view) == facts(cured.copies)
    assert broken.has_what_must_be_found, broken.anomalies
    assert not cured.has_what_must_be_found


def facts(history):
    return {record.fact for record in history.read}


def test_after_its_time_no_fault_begins(whole):
    told = []
    outcome = run(whole, "broken", plan(SEED), seed=SEED, seconds=0.1, progress=told.append)
    assert outcome.strikes == ()
    assert len(told) == 1
    assert outcome.log.sent


def test_whoever_interrupts_it_leaves_nothing_broken_behind(whole):
    fault = next(fault for fault in plan(SEED) if fault.kind == "kill alone")
    before = children()

    def interrupt(told):
        if fault.kind in told:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(whole, "broken", [fault], seed=SEED, seconds=float("inf"), progress=interrupt)
    assert children() <= before | {broker.pid for broker in whole.brokers}


def children():
    return {process.pid for process in psutil.Process().children(recursive=True)}
