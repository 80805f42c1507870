"""The bank of lesson 04: what its table and its audit table know, and what they do not."""

from eventlab.course.time_travel import Tables, versions_told
from eventlab.domain.account import decider
from eventlab.events.envelope import StreamId
from eventlab.history import steps
from eventlab.inputs.generate import demo_account, demo_store

ANA = StreamId("account", "ana")
HISTORY = demo_account(4)
STEPS = steps(demo_store({ANA: HISTORY}), decider, ANA)
BANK = Tables(HISTORY)


def test_the_row_has_the_balance_of_the_last_version():
    row = BANK.row().iloc[0]
    assert (row["owner"], row["balance_minor"]) == (STEPS[-1].state.owner, STEPS[-1].state.balance.minor)


def test_the_audit_has_the_disputed_payment_and_its_correction_and_no_reason():
    entries = BANK.audit("2026-03-03", "2026-03-05")
    assert list(entries["who"]) == ["app", "back office"]
    assert entries["old"][0] == entries["new"][1]
    assert not entries.astype(str).apply(lambda column: column.str.contains("Kiosk|customer")).any(axis=None)


def test_an_unbroken_audit_tells_the_balance_wherever_the_time_is_that_of_one_booking():
    times = [step.time for step in STEPS]
    last_at_its_time = [step for step, after in zip(STEPS, [*times[1:], None], strict=True) if step.time != after]
    for step in last_at_its_time:
        assert BANK.as_of(step.time)["balance_minor"] == str(step.state.balance.minor)


def test_what_is_held_for_cards_is_in_no_row():
    told = versions_told(BANK, STEPS)
    held = sum(bool(step.state.holds) for step in STEPS)
    assert 0 < told <= len(STEPS) - held


def test_before_the_account_there_is_no_row():
    assert BANK.as_of(STEPS[0].time.replace(year=2025)) == {}
