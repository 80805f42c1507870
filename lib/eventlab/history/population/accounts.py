"""All accounts at once: a balance is a sum, in whatever order the bookings come."""

from collections.abc import Callable
from typing import get_args

import polars as pl

from eventlab.domain.account import (
    EVENTS,
    Account,
    AccountClosed,
    AccountOpened,
    AuthorisationReleased,
    BalanceBroughtForward,
    Booking,
    CardAuthorised,
    Event,
    signed,
)
from eventlab.domain.money import NO_CURRENCY, Money
from eventlab.history.population.kind import Kind

_BOOKINGS: tuple[type, ...] = get_args(Booking)


def _rows() -> Callable[[int, Event], tuple[object, ...]]:
    def columns(_: int, event: Event) -> tuple[object, ...]:
        """Owner, currency, overdraft limit, what it adds to the balance, what it adds to the holds."""
        match event:
            case AccountOpened(owner, currency, limit):
                return owner, currency, limit.minor, None, None
            case BalanceBroughtForward(balance):
                return None, balance.currency, None, balance.minor, None
            case CardAuthorised(amount):
                return None, amount.currency, None, None, amount.minor
            case AuthorisationReleased(amount):
                return None, amount.currency, None, None, -amount.minor
        if isinstance(event, _BOOKINGS):
            booked: Money = signed(event)  # type: ignore[arg-type]  # the members of Booking
            return None, booked.currency, None, booked.minor, None
        return None, None, None, None, None

    return columns


def _states(cut: pl.LazyFrame) -> pl.DataFrame:
    def version_of(events: pl.Expr) -> pl.Expr:
        return pl.when(events).then("version")

    found = (
        cut.select(
            "entity",
            "owner",
            "currency",
            "overdraft_minor",
            "booked_minor",
            "held_minor",
            opened=version_of(pl.col("type") == AccountOpened.__name__),
            closed=version_of(pl.col("type") == AccountClosed.__name__),
            known=version_of(pl.col("currency").is_not_null()),
        )
        .group_by("entity")
        .agg(
            pl.col("owner", "overdraft_minor").last(ignore_nulls=True),
            pl.col("currency").first(ignore_nulls=True),
            other=pl.col("currency").min() != pl.col("currency").max(),
            balance_minor=pl.col("booked_minor").sum(),
            held_minor=pl.col("held_minor").sum(),
            opened=pl.col("opened").max(),
            closed=pl.col("closed").max(),
            known=pl.col("known").min(),
            events=pl.len(),
        )
        .collect(engine="streaming")
    )
    mixed = found.filter("other").select("entity")
    if mixed.height:
        streams = cut.join(mixed.lazy(), on="entity", how="semi").select("stream").unique().collect()
        raise ValueError(f"the balance of {streams.item(0, 0)} is not an amount: its bookings mix currencies")
    # The first event that tells the currency opens the account, even one that had been closed before.
    closed = pl.col("closed") > pl.max_horizontal(pl.col("opened").fill_null(0), pl.col("known").fill_null(0))
    return found.select(
        "entity",
        status=pl.when(closed).then(pl.lit("closed")).when(pl.col("known").is_not_null()).then(pl.lit("open"))
        .otherwise(pl.lit("none")),
        owner=pl.col("owner").fill_null(""),
        currency=pl.col("currency").fill_null(NO_CURRENCY),
        balance_minor="balance_minor",
        held_minor="held_minor",
        overdraft_minor=pl.col("overdraft_minor").fill_null(0),
        events="events",
    )  # fmt: skip


def row(account: Account) -> dict[str, object]:
    """What the columns tell of an account."""
    return {
        "status": account.status,
        "owner": account.owner,
        "currency": account.currency,
        "balance_minor": account.balance.minor,
        "held_minor": sum(held.minor for held in account.holds.values()),
        "overdraft_minor": account.overdraft_limit.minor,
    }


ACCOUNTS = Kind(
    category="account",
    events=EVENTS,
    schema={
        "owner": pl.String,
        "currency": pl.String,
        "overdraft_minor": pl.Int64,
        "booked_minor": pl.Int64,
        "held_minor": pl.Int64,
    },
    rows=_rows,
    states=_states,
    row=row,
    amount="balance_minor",
)
"""Accounts: status, owner, currency; balance, what is held for card payments, and overdraft limit in minor units."""
