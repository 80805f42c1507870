"""What can be wrong with a history: each checker gives the facts that are wrong, in the order in which it met them.

They are those of Jepsen's workload for Kafka (https://github.com/jepsen-io/jepsen, ``jepsen.tests.kafka``), over facts
that have keys and versions. None accuses without proof: an attempt whose fate is unknown may be there or not, and is
wrong neither way. Those that ask for no more than what was read can judge anybody's topic.
"""

from collections.abc import Callable, Sequence

from eventlab.pitfalls.checkers.content import (
    conflicting_versions,
    duplicates,
    inconsistent_offsets,
    lost_writes,
    repeats,
    unseen,
    version_gaps,
)
from eventlab.pitfalls.checkers.decisions import cycles, stale_decisions
from eventlab.pitfalls.checkers.order import (
    causal_inversions,
    inversions,
    nonmonotonic_polls,
    nonmonotonic_sends,
    poll_skips,
    strays,
)
from eventlab.pitfalls.checkers.transactions import aborted_reads, torn_transactions
from eventlab.pitfalls.history import History
from eventlab.pitfalls.record import Fact

Checker = Callable[[History], Sequence[Fact]]

ALL: tuple[Checker, ...] = (
    lost_writes,
    unseen,
    duplicates,
    repeats,
    inconsistent_offsets,
    conflicting_versions,
    version_gaps,
    aborted_reads,
    torn_transactions,
    poll_skips,
    nonmonotonic_polls,
    nonmonotonic_sends,
    inversions,
    causal_inversions,
    strays,
    stale_decisions,
    cycles,
)

__all__ = [
    "ALL",
    "Checker",
    "aborted_reads",
    "causal_inversions",
    "conflicting_versions",
    "cycles",
    "duplicates",
    "inconsistent_offsets",
    "inversions",
    "lost_writes",
    "nonmonotonic_polls",
    "nonmonotonic_sends",
    "poll_skips",
    "repeats",
    "stale_decisions",
    "strays",
    "torn_transactions",
    "unseen",
    "version_gaps",
]
