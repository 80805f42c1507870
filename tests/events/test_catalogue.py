from datetime import date
from typing import get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry
from eventlab.events.codec import JsonCodec

CODEC = JsonCodec(registry)

VALUES: dict[object, st.SearchStrategy[object]] = {
    str: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    int: st.integers(),
    date: st.dates(),
    date | None: st.none() | st.dates(),
    Money: st.builds(Money, st.integers(), st.sampled_from(["EUR", "JPY", "KWD"])),
}
events = st.one_of(
    st.builds(cls, **{name: VALUES[kind] for name, kind in get_type_hints(cls).items()})
    for cls in (*cart.EVENTS, *account.EVENTS)
)


@given(events)
def test_every_event_of_the_domains_reads_back_equal(event: object) -> None:
    assert CODEC.decode(*CODEC.encode(event)) == event


def test_stored_names_of_the_domains_do_not_change() -> None:
    """These names stand in stored events: whoever renames a class gives the old name to register()."""
    assert sorted(entry.name for entry in registry) == [
        "AccountClosed", "AccountOpened", "AuthorisationReleased", "BalanceBroughtForward", "CardAuthorised",
        "CartAbandoned", "CartCreated", "CheckedOut", "Corrected", "Deposited", "FeeCharged", "FraudScored",
        "InterestCredited", "ItemAdded", "ItemRemoved", "LimitChecked", "PeriodClosed", "QuantityChanged",
        "TransferReceived", "TransferSent", "Withdrawn",
    ]  # fmt: skip


def test_a_day_is_stored_as_a_date() -> None:
    event = account.Deposited(Money.of("12.40", "EUR"), date(2026, 3, 3))
    assert b'"on":"2026-03-03"' in CODEC.encode(event).data
