"""P11: offsets taken for a count or a version."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.domain.money import Money
from eventlab.pitfalls.checkers import version_gaps
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.marks import marks
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import await_stable, read
from eventlab.pitfalls.transactions import Teller

BRANCHES = 6
_CENTS = range(10_00, 200_00)


def run(kafka: Kafka, *, version: Literal["offset", "own"] = "offset", seed: int = 7) -> Result:
    """Each branch of a bank has a partition for its journal. It books in transactions, and a reader looks for gaps.

    ``version``: what the reader takes for the running number of an entry, its offset or the number that the branch gave
    it. The first branch books once, the second twice, …; the last one's first attempt is turned down, and made again.
    """
    topic = kafka.topic("journals", partitions=BRANCHES)
    with Teller(kafka.config(**{"transactional.id": kafka.name("bank")})) as bank:
        for branch, booking in _day(seed):
            if branch == BRANCHES and booking[0].version == 1:
                _book(bank, topic, branch, booking, "abort")
            _book(bank, topic, branch, booking, "commit")
    await_stable(kafka, topic)
    records = read(kafka, topic)
    if version == "offset":
        records = tuple(replace(record, version=1 + record.offset) for record in records)
    return PITFALL.result(records, bank.sent, marks=marks(kafka, topic))


def _book(bank: Teller, topic: str, branch: int, entries: Sequence[Fact], how: Literal["commit", "abort"]) -> None:
    bank.begin()
    for entry in entries:
        bank.send(topic, entry, branch - 1, transaction=entries[0].id)
    bank.end(how)


def _day(seed: int) -> list[tuple[int, Sequence[Fact]]]:
    """The bookings of all branches, as they come: the branch, and what is taken and given as two entries."""
    random = Random(seed)  # noqa: S311 a day that repeats, not a secret
    branches = [branch for branch in range(1, BRANCHES + 1) for _ in range(branch)]
    random.shuffle(branches)
    return [
        (branch, _entries(branch, branches[:place].count(branch), Money(random.choice(_CENTS), "EUR")))
        for place, branch in enumerate(branches)
    ]


def _entries(branch: int, earlier: int, amount: Money) -> Sequence[Fact]:
    journal, first = f"branch-{branch}", 1 + 2 * earlier
    return (
        Fact(journal, first, "Taken", f"took {amount}", "bank"),
        Fact(journal, first + 1, "Given", f"gave {amount}", "bank"),
    )


PITFALL = Pitfall(
    id="P11",
    hypothesis="A reader that numbers a journal by its offsets misses entries that never were.",
    workload=f"{BRANCHES} branches with a partition each book in transactions, the first one once, the second twice, …",
    metric=version_gaps,
    unit="journals seem to have lost entries",
    run=run,
    broken={"version": "offset"},
    cured={"version": "own"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/apache/druid/issues/5404",
        "https://github.com/confluentinc/librdkafka/issues/3171",
        "https://github.com/linkedin/Burrow/issues/651",
        "https://github.com/spring-projects/spring-kafka/issues/1587",
    ),
)
