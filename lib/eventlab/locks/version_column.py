"""Optimistic, on a row: it is written only if it still has the version that was read; else everything again."""

from eventlab.locks.steps import Step, Tell
from eventlab.locks.teller import Teller


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain."""
    in_vain = 0
    while not _attempt(teller, amount, tell):
        in_vain += 1
    return in_vain


def _attempt(teller: Teller, amount: int, tell: Tell) -> bool:
    columns = teller.table.c
    with teller.engine.begin() as connection:
        balance, version = connection.execute(teller.read.add_columns(columns.version)).one()
        tell(Step.READS, balance)
        write = teller.write.where(columns.version == version).values(minor=balance + amount, version=version + 1)
        done = connection.execute(write).rowcount == 1
        tell(Step.WRITES if done else Step.REFUSED, balance + amount)
    return done
