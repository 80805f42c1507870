"""Statements for the property tests: what a bank could write in any format."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate

from hypothesis import strategies as st

from eventlab.domain.money import Money
from eventlab.inputs import AccountStatement, Balance, Entry

ACCOUNT = "DE89370400440532013000"

_word = st.text("abcdefghijklmnopqrstuvwxyzÄÖÜäöüßéABC0123456789.&-", min_size=1, max_size=12).filter(
    lambda word: word.strip("0") and not word.startswith(("-", "."))
)
texts = st.lists(_word, min_size=1, max_size=6).map(" ".join)
amounts = st.integers(-(10**9), 10**9).filter(bool)
kinds = st.sampled_from(["payment", "transfer", "fee", "interest"])


@st.composite
def entries(draw: st.DrawFn, min_size: int = 0, max_size: int = 12) -> tuple[Entry, ...]:
    """Entries in the order of their days; repeated ones on one day are likely, as in life."""
    day = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 300)))
    made = []
    for _ in range(draw(st.integers(min_size, max_size))):
        day += timedelta(days=draw(st.sampled_from([0, 0, 1, 1, 2, 9])))
        if made and made[-1].booked == day and draw(st.integers(0, 3)) == 0:
            made.append(made[-1])
            continue
        made.append(
            Entry(
                day,
                Money(draw(amounts), "EUR"),
                draw(texts),
                reference=draw(st.sampled_from(["", "REF1", "R-2026"])),
                kind=draw(kinds),  # type: ignore[arg-type]
            )
        )
    return tuple(made)


def statement(entries: tuple[Entry, ...], opening: int = 0, first: date | None = None) -> AccountStatement:
    """A statement of these entries that adds up, with the balance beside each."""
    days = [entry.booked for entry in entries] or [first or date(2026, 1, 1)]
    balances = list(accumulate((entry.amount for entry in entries), initial=Money(opening, "EUR")))
    with_balance = tuple(replace(entry, balance=balance) for entry, balance in zip(entries, balances[1:], strict=True))
    return AccountStatement(
        ACCOUNT, "EUR", with_balance, Balance(balances[0], first or days[0]), Balance(balances[-1], days[-1])
    )


@st.composite
def statements(draw: st.DrawFn, min_size: int = 0, max_size: int = 12) -> AccountStatement:
    """A statement that adds up."""
    return statement(draw(entries(min_size, max_size)), draw(st.integers(-(10**6), 10**6)))
