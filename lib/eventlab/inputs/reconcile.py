"""Does a statement add up? Opening balance and entries make the closing balance, to the cent, one by one."""

from collections.abc import Sequence
from itertools import pairwise

from eventlab.domain.money import Money
from eventlab.inputs.statement_file import AccountStatement, Entry


def in_time(statements: Sequence[AccountStatement]) -> list[AccountStatement]:
    """The statements of one account, the oldest first: by their balances where these link up, else by their days."""
    by_day = sorted(statements, key=lambda statement: (statement.first is None, statement.first))
    return min((list(statements), list(reversed(statements)), by_day), key=lambda order: len(gaps(order)))


def gaps(statements: Sequence[AccountStatement]) -> list[str]:
    """Where one statement does not begin with what the one before ended with."""
    found = []
    for before, after in pairwise(statements):
        if before.closing and after.opening and before.closing.amount != after.opening.amount:
            missing = after.opening.amount - before.closing.amount
            found.append(
                f"{after.where}: begins with {after.opening.amount}, but the statement before ends with "
                f"{before.closing.amount}; {missing} in between: is a statement missing?"
            )
    return found


def mismatches(statement: AccountStatement) -> list[str]:
    """Why the statement does not add up; empty when it does, or when it states no opening or no closing balance."""
    found = [f"{entry.where}: {what}" for entry, what in _broken_balances(statement.entries)]
    if statement.opening is None or statement.closing is None or found:
        return found
    computed = statement.opening.amount + statement.total
    missing = statement.closing.amount - computed
    if missing.minor == 0:
        return []
    return [
        f"{statement.where}: {statement.opening.amount} and {len(statement.entries)} entries of {statement.total} make "
        f"{computed}, but the statement closes with {statement.closing.amount}: {likely(missing, statement.entries)}"
    ]


def _broken_balances(entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """The entries whose printed balance is not the one before plus the amount."""
    found = []
    for before, entry in pairwise(entries):
        if before.balance is None or entry.balance is None:
            continue
        missing = entry.balance - before.balance - entry.amount
        if missing.minor:
            what = f"{before.balance} and {entry.amount} make {before.balance + entry.amount}, not {entry.balance}"
            found.append((entry, f"{what}: {likely(missing, entries)}"))
    return found


def likely(missing: Money, entries: Sequence[Entry]) -> str:
    """What a difference of ``missing`` (to be added to the entries) most likely is."""
    surplus = [entry for entry in entries if entry.amount == -missing]
    wrong_sign = [entry for entry in entries if entry.amount * 2 == -missing]
    alike = [entry for entry in surplus if sum(entry == other for other in surplus) > 1]
    if alike:
        places = " and ".join(entry.where for entry in surplus if entry == alike[0])
        return f"{-missing} too much; {places} are the same entry: is one there twice?"
    if surplus:
        return f"{-missing} too much: does {surplus[0].where} ({-missing}) belong here?"
    if wrong_sign:
        return f"{missing} differ, twice {wrong_sign[0].amount}: has {wrong_sign[0].where} the wrong sign?"
    swapped = " or two figures of an amount are swapped (the difference divides by 9)" if missing.minor % 9 == 0 else ""
    return f"entries of {missing} in all are missing{swapped}"
