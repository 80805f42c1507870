"""The lock in Redis with a fencing token: the database refuses whoever comes with an older token than it has seen.

Source: Martin Kleppmann, *How to do distributed locking* (2016),
https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html. The token is shown when *reading* too: if
only writes were checked, a stale writer could still write between the read and the write of the next holder.
"""

from eventlab.locks.redis_lock import holding
from eventlab.locks.steps import Step, Tell
from eventlab.locks.teller import Teller

_ATTEMPTS = 100  # a stale token is rare; again and again means that the counter in Redis was lost


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain. Raises RuntimeError when tokens went backwards."""
    for in_vain in range(_ATTEMPTS):
        with holding(teller, tell):
            # Counted after the lock: a holder that stops in between gets a higher token than its successor, and then
            # it is the successor who is refused and tries again.
            token = int(teller.redis.incr(f"{teller.key}:fence"))
            if _attempt(teller, amount, token, tell):
                return in_vain
    raise RuntimeError(f"the fencing tokens of {teller.key} are older than those in the database: was Redis emptied?")


def _attempt(teller: Teller, amount: int, token: int, tell: Tell) -> bool:
    columns = teller.table.c
    with teller.engine.begin() as connection:
        show = teller.write.where(columns.fence < token).values(fence=token).returning(columns.minor)
        balance = connection.execute(show).scalar_one_or_none()
    if balance is None:
        tell(Step.REFUSED, None)
        return False
    tell(Step.READS, balance)
    with teller.engine.begin() as connection:
        write = teller.write.where(columns.fence == token).values(minor=balance + amount)
        done = connection.execute(write).rowcount == 1
        tell(Step.WRITES if done else Step.REFUSED, balance + amount)
    return done
