"""Pessimistic, outside the database: a lock in Redis that ends with its lease, whether its holder has noticed or not.

The lock is redis-py's: ``SET key token NX PX lease``, and a script that deletes the key only if the token is its own
(https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockNotOwnedError

from eventlab.locks import without
from eventlab.locks.steps import Step, Tell
from eventlab.locks.teller import Teller

_ASK_AGAIN_SECONDS = 0.001  # redis-py's default of 0.1 s would be most of what is measured


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain."""
    with holding(teller, tell):
        return without.deposit(teller, amount, tell)


@contextmanager
def holding(teller: Teller, tell: Tell) -> Iterator[None]:
    """Wait for the lock, hold it for the block, for as long as its lease."""
    lock = teller.redis.lock(teller.key, timeout=teller.lease, blocking=False, thread_local=False)
    while not lock.acquire():
        tell(Step.WAITS, None)
        time.sleep(_ASK_AGAIN_SECONDS)
    tell(Step.LOCKS, None)
    try:
        yield
    finally:
        with suppress(LockNotOwnedError):  # the lease was over: it says so now, when everything is written
            lock.release()
