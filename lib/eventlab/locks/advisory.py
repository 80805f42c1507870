"""Pessimistic, on a name: PostgreSQL's advisory lock protects what has no row, from those who ask for it too."""

from sqlalchemy import func, select

from eventlab.locks import without
from eventlab.locks.steps import Tell
from eventlab.locks.teller import Teller


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain."""
    number = func.hashtextextended(teller.key, 0)  # the lock's name is a number
    with teller.engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(number)))
        without.add(connection, teller, amount, tell)
    return 0
