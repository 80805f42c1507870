"""What if: another end, what the rules say to it, and a store that stays as it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.decider import Decider
from eventlab.events.envelope import StreamId
from eventlab.history import what_if
from eventlab.inputs.generate import demo_account, demo_carts, demo_store

from .stories import ACCOUNT, ANA, CART, CASES, DAY, Story, at, eur, store_of

SHOPPING: Story = [
    (event, at(9), at(9))
    for event in (
        cart.CartCreated("ana", "EUR"),
        cart.ItemAdded("trousers", 3, eur("40")),
        cart.ItemRemoved("trousers", 2),
        cart.CheckedOut(eur("40")),
    )
]
ANAS, CARTS = demo_account(4), demo_carts(1)


@given(CASES, st.data())
def test_the_other_end_is_the_fold_of_the_other_history(
    case: tuple[Decider[Any, Any, Any], StreamId, Story], data: st.DataObject
) -> None:
    decider, stream, story = case
    events = [event for event, _, _ in story]
    versions = st.integers(1, len(events))
    changed = data.draw(st.dictionaries(versions, st.sampled_from(events), max_size=2))
    left_out = data.draw(st.sets(versions, max_size=3)) - set(changed)
    inserted = data.draw(st.dictionaries(st.integers(0, len(events)), st.just(events[:1]), max_size=2))
    if not (changed or left_out or inserted):
        return
    expected = list(inserted.get(0, []))
    for version, event in enumerate(events, start=1):
        expected += [] if version in left_out else [changed.get(version, event)]
        expected += inserted.get(version, [])
    store = store_of(stream, story)
    before = list(store.read_all())
    found = what_if(store, decider, stream, leave_out=left_out, change=changed, insert=inserted)
    assert found.events == tuple(expected)
    assert (found.actual, found.altered) == (decider.fold(events), decider.fold(expected))
    assert bool(found.changes) == (found.actual != found.altered)
    assert list(store.read_all()) == before, "history is read only"


@given(st.data())
def test_to_stop_earlier_is_never_refused(data: st.DataObject) -> None:
    """Whatever a decider decided, it would also have decided up to there."""
    stream, decider, events = data.draw(
        st.sampled_from(
            [(StreamId("account", "ana"), account.decider, ANAS)]
            + [(stream, cart.decider, events) for stream, events in CARTS.items()]
        )
    )
    last = data.draw(st.integers(0, len(events) - 1))
    store = demo_store({stream: events})
    found = what_if(store, decider, stream, leave_out=range(last + 1, len(events) + 1))
    assert found.refused == ()
    assert found.altered == decider.fold(new.event for new in events[:last])


def test_what_could_not_have_happened_is_told_in_words() -> None:
    found = what_if(store_of(CART, SHOPPING), cart.decider, CART, change={2: cart.ItemAdded("trousers", 1, eur("40"))})
    assert found.refused == (
        "removed 2 trousers (version 3): cannot remove 2 trousers: the cart holds 1",
        "checked out for 40.00 EUR (version 4): cannot check out: the cart is empty",
    )
    assert str(found).splitlines() == [
        "lines · trousers: 1 × 40.00 EUR → nothing",
        "total: 40.00 EUR → 0.00 EUR",
        *(f"the rules would have refused: {said}" for said in found.refused),
    ]


def test_the_rules_judge_what_is_new() -> None:
    hat = cart.ItemAdded("hat", 1, eur("9"))
    found = what_if(store_of(CART, SHOPPING), cart.decider, CART, insert={3: [hat], 4: [hat]})
    assert found.altered.total == eur("58")
    assert found.refused == (
        "added 1 hat at 9.00 EUR (new): the cart is checked out: nothing about it can change any more",
    )


def test_without_her_salary_ana_could_not_have_paid() -> None:
    found = what_if(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, leave_out=[1, 2])
    assert found.altered.balance == eur("30")
    poor = [ANA[0], *ANA[1:3], (account.Withdrawn(eur("310"), DAY, "Rent"), at(9, day=4), at(9, day=4))]
    found = what_if(store_of(ACCOUNT, poor), account.decider, ACCOUNT, leave_out=[2])
    assert [said.split(":")[0] for said in found.refused] == ["withdrew 310.00 EUR"]


def test_a_card_payment_needs_the_money_that_was_held_for_it() -> None:
    events = [new.event for new in ANAS]
    held = next(n for n, event in enumerate(events, start=1) if isinstance(event, account.CardAuthorised))
    merchant = events[held - 1].merchant
    store = demo_store({ACCOUNT: ANAS})
    found = what_if(store, account.decider, ACCOUNT, leave_out=[held])
    assert found.refused[0].endswith(f"0.00 EUR is held for {merchant}")
    assert {said.split(" is held for ")[1] for said in found.refused} == {merchant}, "the facts stand, and lack it"


def test_what_an_import_brought_is_not_held_against_it() -> None:
    """An account that begins with a booking, as one that was imported: no rule allows that, and nothing is new."""
    found = what_if(store_of(ACCOUNT, ANA[1:]), account.decider, ACCOUNT, leave_out=[2])
    assert found.refused == ()
    assert found.changes[0].field == "balance"


def test_what_makes_no_difference_says_so() -> None:
    found = what_if(store_of(CART, SHOPPING), cart.decider, CART, change={4: cart.CheckedOut(eur("1"))})
    assert str(found) == "nothing would be different"


def test_any_decider_can_be_asked() -> None:
    counter: Decider[int, object, object] = Decider(0, lambda _command, _state: [], lambda state, _event: state + 1)
    found = what_if(store_of(CART, SHOPPING), counter, CART, insert={0: ["anything"]})
    assert (found.actual, found.altered, found.refused) == (4, 5, ())


@pytest.mark.parametrize(
    ("altered", "message"),
    [
        ({}, "nothing is altered: give leave_out="),
        ({"leave_out": [5]}, "there is no version 5: cart-1 has versions 1 to 4"),
        ({"leave_out": [0]}, "there is no version 0"),
        ({"change": {5: SHOPPING[0][0]}}, "there is no version 5"),
        ({"insert": {-1: [SHOPPING[0][0]]}}, "there is no version -1"),
        ({"leave_out": [2, 3], "change": {3: SHOPPING[0][0]}}, "version 3 cannot be left out and be changed"),
        (
            {"insert": {2: [cart.CheckOut()]}},
            r"CheckOut\(\) is not an event that can be folded here; these can: CartCr",
        ),
        ({"change": {2: account.FraudScored(1, "x", DAY)}}, "is not an event that can be folded here"),
    ],
)
def test_what_cannot_be_altered_is_an_error(altered: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        what_if(store_of(CART, SHOPPING), cart.decider, CART, **altered)


def test_a_stream_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="there is no stream cart-9"):
        what_if(store_of(CART, SHOPPING), cart.decider, StreamId("cart", "9"), leave_out=[1])
