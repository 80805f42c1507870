"""Many at once: the store decides who was first, nothing is lost, and readers see one order."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from eventlab.events.envelope import StreamId, Version
from eventlab.store import Append, Appended, EventStore, NoStream, WrongExpectedVersion

from .backends import DURABLE, Backend
from .samples import CART, OTHER, PATIENCE_SECONDS, added, quantities, several, take
from .writers import win, win_from_afar, write

Answer = TypeVar("Answer")

WRITERS = 4
EACH = 10
PROCESSES = 3  # as many as the fixture has


def at_once(*work: Callable[[], Answer]) -> list[Answer]:
    """The answers of functions that start at the same moment, each in a thread."""
    start = Barrier(len(work))

    def run(function: Callable[[], Answer]) -> Answer:
        start.wait(PATIENCE_SECONDS)
        return function()

    with ThreadPoolExecutor(len(work)) as threads:
        return [future.result() for future in [threads.submit(run, function) for function in work]]


def shares(count: int) -> list[range]:
    """For each of ``count`` writers the quantities that are its own."""
    return [range(writer * EACH, (writer + 1) * EACH) for writer in range(count)]


def check_winners(store: EventStore, won: Sequence[dict[int, Version]]) -> None:
    """Each version has one winner, who finds its event there, and no event is lost."""
    expected = {version: quantity for each in won for quantity, version in each.items()}
    events = list(store.read(CART))
    assert [recorded.version for recorded in events] == list(range(1, len(won) * EACH + 1))
    assert {recorded.version: quantities([recorded])[0] for recorded in events} == expected


def test_of_those_who_expect_no_stream_one_wins(store: EventStore) -> None:
    def begin(quantity: int) -> int | None:
        try:
            store.append(CART, [added(quantity)], expected=NoStream)
        except WrongExpectedVersion:
            return None
        return quantity

    answers = at_once(*(lambda quantity=quantity: begin(quantity) for quantity in range(8)))
    winners = [answer for answer in answers if answer is not None]
    assert len(winners) == 1
    assert quantities(store.read(CART)) == winners


def test_each_version_has_one_winner_among_threads(store: EventStore) -> None:
    won = at_once(*(lambda share=share: win(store, CART, share) for share in shares(WRITERS)))
    check_winners(store, won)


@DURABLE
def test_processes_may_open_a_new_store_at_once(backend: Backend, processes: ProcessPoolExecutor) -> None:
    streams = [StreamId("cart", str(writer)) for writer in range(PROCESSES)]
    for writer in [processes.submit(write, backend, stream, batches=1, size=2) for stream in streams]:
        writer.result()
    assert {recorded.stream for recorded in backend.open().read_all()} == set(streams)


@DURABLE
def test_each_version_has_one_winner_among_processes(
    backend: Backend, store: EventStore, processes: ProcessPoolExecutor
) -> None:
    writers = [processes.submit(win_from_afar, backend, CART, share) for share in shares(PROCESSES)]
    check_winners(store, [writer.result() for writer in writers])


def test_the_same_events_appended_by_many_at_once_are_stored_once(store: EventStore) -> None:
    events = several([1, 2, 3])
    answers = at_once(*(lambda: store.append(CART, events) for _ in range(WRITERS)))
    assert answers == [Appended((Version(1), Version(2), Version(3)), answers[0].positions)] * WRITERS
    assert quantities(store.read(CART)) == [1, 2, 3]


def test_appends_without_expectation_all_arrive_each_in_one_piece(store: EventStore) -> None:
    def write(share: Sequence[int]) -> list[tuple[Version, ...]]:
        return [store.append(CART, several([quantity] * 3)).versions for quantity in share]

    answers = at_once(*(lambda share=share: write(share) for share in shares(WRITERS)))
    events = quantities(store.read(CART))
    assert sorted(events) == sorted(3 * list(range(WRITERS * EACH)))
    for share, appended in zip(shares(WRITERS), answers, strict=True):
        for quantity, versions in zip(share, appended, strict=True):
            assert [events[version - 1] for version in versions] == [quantity] * 3
            assert versions == (versions[0], versions[0] + 1, versions[0] + 2)


def test_appends_over_the_same_streams_in_any_order_all_arrive_each_in_one_piece(store: EventStore) -> None:
    """Writers who take the streams in opposite order may have to wait for each other, but not for ever."""

    def write(streams: Sequence[StreamId], share: Sequence[int]) -> None:
        for quantity in share:
            store.append_all([Append(stream, several([quantity] * 2)) for stream in streams])

    orders = [(CART, OTHER), (OTHER, CART)] * (WRITERS // 2)
    at_once(
        *(
            lambda order=order, share=share: write(order, share)
            for order, share in zip(orders, shares(WRITERS), strict=True)
        )
    )
    for stream in (CART, OTHER):
        events = quantities(store.read(stream))
        assert events[::2] == events[1::2]
        assert sorted(events[::2]) == list(range(WRITERS * EACH))


def test_a_subscriber_sees_what_threads_append_in_the_final_order(store: EventStore) -> None:
    def write(key: str) -> None:
        for quantity in range(EACH):
            store.append(StreamId("cart", key), several([quantity, quantity]))

    count = WRITERS * EACH * 2
    *_, seen = at_once(
        *(lambda key=key: write(key) for key in "abcd"[:WRITERS]),
        lambda: take(count, store.subscribe(idle=PATIENCE_SECONDS)),
    )
    assert seen == list(store.read_all())


@DURABLE
def test_a_subscriber_sees_what_processes_append_in_the_final_order(
    backend: Backend, store: EventStore, processes: ProcessPoolExecutor
) -> None:
    batches, size = 20, 3
    streams = [StreamId("cart", str(writer)) for writer in range(PROCESSES)]
    writers = [processes.submit(write, backend, stream, batches, size) for stream in streams]
    seen = take(len(streams) * batches * size, store.subscribe(idle=PATIENCE_SECONDS))
    for writer in writers:
        writer.result()
    assert seen == list(store.read_all())
    positions = [recorded.position for recorded in seen]
    assert positions == sorted(set(positions))


def test_readers_that_catch_up_again_and_again_miss_nothing(store: EventStore) -> None:
    """The commit-order race: a position that becomes visible late stays behind a reader who is past it."""

    def catch_up() -> list[int]:
        seen: list[int] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(seen) < WRITERS * EACH:
            assert time.monotonic() < deadline, f"only {len(seen)} events came"
            seen.extend(recorded.position for recorded in store.read_all(after=seen[-1] if seen else 0))
        return seen

    def write(share: Sequence[int]) -> list[int]:
        return [store.append(OTHER, [added(quantity)]).positions[0] for quantity in share]

    seen, *written = at_once(catch_up, *(lambda share=share: write(share) for share in shares(WRITERS)))
    assert seen == sorted(position for positions in written for position in positions)
