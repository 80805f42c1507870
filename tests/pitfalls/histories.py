"""Histories as a reader may see them, made without a broker."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from eventlab.pitfalls.history import History
from eventlab.pitfalls.record import Record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def history(*entries: tuple) -> History:
    """Records read in this order, each given as key, version and perhaps partition and milliseconds after noon."""
    return History(tuple(_record(order, *entry) for order, entry in enumerate(entries)))


def _record(order: int, key: str, version: int, partition: int = 0, ms: int = 0, cause: str = "") -> Record:
    at = NOON + timedelta(milliseconds=ms)
    return Record(
        key=key,
        version=version,
        type="ItemAdded",
        label="added",
        producer="shop",
        cause=cause,
        order=order,
        partition=partition,
        offset=order,
        timestamp=at,
    )


def reread(records: Iterable[Record]) -> History:
    """The same records in the order given."""
    return history(*((record.key, record.version, record.partition, 0, record.cause) for record in records))


@st.composite
def clean_histories(draw: st.DrawFn) -> History:
    """Several keys, each on one partition and in the order of its versions, interleaved at will.

    Each version but the first has the one before it as its cause.
    """
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    turns = draw(st.permutations([number for number, length in enumerate(lengths) for _ in range(length)]))
    versions = [0] * len(lengths)
    entries = []
    for number in turns:
        key = f"cart-{number}"
        cause = f"{key}/{versions[number]}" if versions[number] else ""
        versions[number] += 1
        entries.append((key, versions[number], number % 3, 0, cause))
    return history(*entries)
