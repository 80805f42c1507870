"""Ways to let several writers change one account at once: one module each, so that a reader diffs only the idea.

Each has a function ``deposit(teller, amount, tell) -> attempts in vain`` that reads the balance, adds to it, and writes
it back. ``WAYS`` names them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from eventlab.locks import advisory, event_store, fenced, for_update, redis_lock, version_column, without
from eventlab.locks.steps import Step, Tell, nobody
from eventlab.locks.teller import Teller

__all__ = ["WAYS", "Step", "Tell", "Teller", "Way", "nobody"]


@dataclass(frozen=True)
class Way:
    """``deposit`` changes the account, ``balance`` is what a fresh reader finds there, in cents."""

    deposit: Callable[[Teller, int, Tell], int]
    open: Callable[[Teller], None] = Teller.open
    balance: Callable[[Teller], int] = Teller.balance
    needs_postgres: bool = False
    needs_redis: bool = False


WAYS: Mapping[str, Way] = {
    "no lock": Way(without.deposit),
    "version column": Way(version_column.deposit),
    "event store": Way(event_store.deposit, event_store.open_account, event_store.balance),
    "FOR UPDATE": Way(for_update.deposit, needs_postgres=True),
    "advisory lock": Way(advisory.deposit, needs_postgres=True),
    "Redis lock": Way(redis_lock.deposit, needs_redis=True),
    "Redis + fence": Way(fenced.deposit, needs_redis=True),
}
