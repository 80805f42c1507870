"""What lesson 28's notebook has in hand when its exercises come, and plausible wrong answers."""

from datetime import date

from eventlab import inputs
from eventlab.course import reconcile
from eventlab.domain import account
from eventlab.domain.money import Money
from eventlab.inputs import sample

RIGHT = {
    "date": "Posted",
    "date_format": ["%d-%m-%Y"],
    "debit": "Paid out",
    "credit": "Paid in",
    "counterparty": "Payee",
    "balance": "Left",
}


def context(request):
    return {"inputs": inputs, "reconcile": reconcile, "sample": sample, "account": account, "Money": Money}


def first_balance(events, limit):
    return next(
        (n for n, event in enumerate(events, 1) if account.decider.fold(events[:n]).balance.minor <= limit.minor), None
    )


def at_the_end(events, limit):
    return len(events) if account.decider.fold(events).balance < limit else None


def with_holds(events, limit):
    return next((n for n, _ in enumerate(events, 1) if account.decider.fold(events[:n]).available < limit), None)


def wrong(values):
    return {
        "a": [date(2026, 3, 12), "2026-03-31", "2026-03-01", "the ninth", 1.80],
        "b": [
            {},
            RIGHT | {"debit": "Paid in", "credit": "Paid out"},
            RIGHT | {"date_format": ["%m-%d-%Y"]},
            RIGHT | {"amount": "Paid out"},
            {key: value for key, value in RIGHT.items() if key != "balance"},
            {key: value for key, value in RIGHT.items() if key != "counterparty"},
            {"file": "orders"},
            "credit-union",
        ],
        "c": [
            lambda events, limit: False,
            first_balance,
            at_the_end,
            with_holds,
            lambda events, limit: 2,
            7,
        ],
    }
