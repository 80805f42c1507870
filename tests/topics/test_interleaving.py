"""Any interleaving of deliveries, takeovers, crashes and repeated records gives what the events say (P13–P16, P23)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, event
from tests.views.shop import POISON, cart, carts, expected, fails_on_poison, shown

from eventlab.domain.cart import CartAbandoned, CheckedOut, ItemAdded, ItemRemoved
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent
from eventlab.store.contract import BEGINNING, START
from eventlab.store.kafka_records import Record, headers
from eventlab.store.rules import stored, utc_now
from eventlab.topics import Database, Fenced, log_events
from eventlab.topics.sink import Behind, Share, Sink

PARTITIONS = 2
codec = JsonCodec(registry)

products = st.sampled_from(["socks", "hat"])
happenings = st.one_of(
    st.builds(ItemAdded, products, st.integers(1, 3), st.just(Money(100, "EUR"))),
    st.builds(ItemRemoved, products, st.just(1)),
    st.just(CartAbandoned("late")),
    st.just(CheckedOut(Money(100, "EUR"))),
)
# Which cart, what happens to it, and how many records later it is sent once more (0: it is not).
histories = st.lists(st.tuples(st.integers(0, 3), happenings, st.integers(0, 4)), min_size=1, max_size=25)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2), st.integers(0, PARTITIONS - 1), st.just(0)),
        st.tuples(
            st.sampled_from(["deliver", "killed before the commit"]),
            st.integers(0, 2),
            st.integers(0, PARTITIONS - 1),
            st.integers(1, 6),
        ),
    ),
    max_size=30,
)


def as_records(history: list[tuple[int, object, int]]) -> list[list[Record]]:
    """The partitions, as a producer that repeats itself leaves them."""
    due: list[tuple[int, int, NewEvent]] = []
    for place, (number, happening, again) in enumerate(history):
        new = NewEvent(happening)
        due.append((place, number, new))
        if again:
            due.append((place + again, number, new))
    partitions: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    for _, number, new in sorted(due, key=lambda each: each[0]):
        partition = number % PARTITIONS
        event = stored(cart(number), START, BEGINNING, new, codec.encode(new.event), utc_now())
        partitions[partition].append(
            Record(
                "carts",
                partition,
                len(partitions[partition]),
                str(event.stream).encode(),
                event.data if isinstance(event.data, bytes) else event.data.encode(),
                tuple((name, value.encode()) for name, value in headers(event).items()),
            )
        )
    return partitions


def truth(partitions: list[list[Record]]) -> list[tuple[object, ...]]:
    """The view, folded from the records: each event once, where it came first; every record counts for the version."""
    read, seen, counts, events = log_events(), set(), {}, []
    for record in (record for records in partitions for record in records):
        found = read(record)
        counts[found.stream] = counts.get(found.stream, 0) + 1
        if found.id not in seen:
            seen.add(found.id)
            events.append((found, counts[found.stream]))
    return expected(carts, [replace(found, version=version) for found, version in events])


@contextmanager
def database() -> Iterator[Database]:
    with TemporaryDirectory() as folder:
        home = Database(f"sqlite:///{Path(folder) / 'view.db'}")
        # A process that is killed leaves what it wrote to the operating system: the disk need not be waited for.
        event.listen(home.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous = OFF"))
        home.engine.dispose()
        yield home
        home.close()


class Killed(BaseException):
    pass


def deliver(sink: Sink, share: Share, records: list[Record], killed: bool) -> None:
    """Apply; ``killed``: the process ends where the commit would come."""

    def kill(_: Connection) -> None:
        raise Killed

    if not killed:
        sink.apply(share, records, share.position + len(records))
        return
    event.listen(sink.home.engine, "commit", kill)
    try:
        sink.apply(share, records, share.position + len(records))
    finally:
        event.remove(sink.home.engine, "commit", kill)


@given(histories, steps)
@settings(max_examples=30, deadline=None)
def test_any_interleaving_gives_the_fold(history, steps):
    partitions = as_records(history)
    with database() as home:
        sink = Sink(home, carts, "carts", PARTITIONS, log_events(), park=False)
        sink.make()
        shares: dict[tuple[int, int], Share] = {}
        owner: dict[int, int] = {}
        for step, who, partition, number in steps:
            if step == "take":
                [shares[who, partition]] = sink.take([partition])
                owner[partition] = who
            elif (share := shares.get((who, partition))) is not None:
                records = partitions[partition][share.position : share.position + number]
                before = share.position
                try:
                    deliver(sink, share, records, step != "deliver")
                except Killed:
                    del shares[who, partition]
                except Fenced:
                    assert owner[partition] != who
                    del shares[who, partition]
                except Behind:
                    raise AssertionError("an owner's own checkpoint never moves behind it") from None
                else:
                    assert owner[partition] == who
                    assert share.position == before + len(records)
        for share in sink.take(range(PARTITIONS)):
            rest = partitions[share.partition][share.position :]
            sink.apply(share, rest, share.position + len(rest))
        assert shown(home, carts) == truth(partitions)


@given(histories, st.lists(st.integers(0, 24), max_size=4), st.lists(st.integers(1, 5), min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_parked_keys_once_mended_give_the_fold(history, poisoned, sizes):
    poison = ItemAdded(POISON, 1, Money(100, "EUR"))
    history = [(n, poison if place in poisoned else what, again) for place, (n, what, again) in enumerate(history)]
    partitions = as_records(history)
    with database() as home:
        sick = Sink(home, fails_on_poison(carts), "carts", PARTITIONS, log_events(), park=True)
        sick.make()
        for share in sick.take(range(PARTITIONS)):
            records = partitions[share.partition]
            for size in [*sizes, len(records)]:
                batch = records[share.position : share.position + size]
                sick.apply(share, batch, share.position + len(batch))
            assert share.position == len(records), "the other keys go on"
        mended = Sink(home, carts, "carts", PARTITIONS, log_events(), park=True)
        with home.engine.connect() as connection:
            waiting = {(record.partition, record.key) for record, _ in mended.parked(connection)}
        assert all(mended.retry(partition, key or b"") for partition, key in waiting)
        with home.engine.connect() as connection:
            assert mended.parked(connection) == []
        assert shown(home, carts) == truth(partitions)
