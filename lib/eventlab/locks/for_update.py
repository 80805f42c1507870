"""Pessimistic, on the row: ``SELECT … FOR UPDATE`` makes every other writer wait until the transaction ends."""

from eventlab.locks.steps import Step, Tell
from eventlab.locks.teller import Teller


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain."""
    with teller.engine.begin() as connection:
        balance = connection.execute(teller.read.with_for_update()).scalar_one()
        tell(Step.READS, balance)
        connection.execute(teller.write.values(minor=balance + amount))
        tell(Step.WRITES, balance + amount)
    return 0
