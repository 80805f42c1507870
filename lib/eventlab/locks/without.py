"""No lock: whoever writes last wins, and what others wrote since it read is gone."""

from sqlalchemy import Connection

from eventlab.locks.steps import Step, Tell
from eventlab.locks.teller import Teller


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain."""
    with teller.engine.begin() as connection:
        add(connection, teller, amount, tell)
    return 0


def add(connection: Connection, teller: Teller, amount: int, tell: Tell) -> None:
    """Read, think, write."""
    balance = connection.execute(teller.read).scalar_one()
    tell(Step.READS, balance)
    connection.execute(teller.write.values(minor=balance + amount))
    tell(Step.WRITES, balance + amount)
