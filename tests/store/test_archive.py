"""The archive: byte for byte what the store has; stopped anywhere, it is whole up to where its manifest says."""

import json
import multiprocessing
import resource
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars
import pyarrow.parquet as pq
import pytest
from confluent_kafka import TopicPartition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlab.cluster import clients
from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, Position, StreamId
from eventlab.events.errors import EventError
from eventlab.inputs.generate import demo_account, demo_carts
from eventlab.store import BEGINNING, KafkaEventLog, MemoryEventStore, SqlEventStore, StoreError
from eventlab.store import archive as module
from eventlab.store.archive import Archive, ArchiveError, archive, replay, restore

START = datetime(2026, 3, 31, 22, tzinfo=UTC)
CART = StreamId("cart", "1")


def at(*hours: float) -> Any:
    """A clock that gives these hours after ``START``, then the last one for ever."""
    left = list(hours)
    return lambda: START + timedelta(hours=left.pop(0) if len(left) > 1 else left[0])


def left(reason: str = "late") -> NewEvent:
    return NewEvent(CartAbandoned(reason))


def filled(store: Any, carts: int = 20) -> Any:
    for stream, events in demo_carts(seed=5, n=carts).items():
        store.append(stream, events)
    return store


def plain(events: Any) -> list[Any]:
    """Stored events, their data as text."""
    return [each._replace(data=each.data if isinstance(each.data, str) else each.data.decode()) for each in events]


def files(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and chunks so small that every story has several."""
    monkeypatch.setattr(module, "_BATCH", 7)
    monkeypatch.setattr(module, "_ROW_GROUP", 10)
    monkeypatch.setattr(module, "_CHUNK", 21)


# -- byte for byte --------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
NEW = st.builds(
    NewEvent,
    st.builds(CartAbandoned, TEXT),
    st.uuids(),
    st.none() | st.datetimes(timezones=st.just(UTC)).filter(lambda time: 1 < time.year < 9999),
    st.none() | st.uuids(),
    st.none() | st.uuids(),
    st.dictionaries(TEXT, TEXT, max_size=2),
)
STORY = st.lists(
    st.tuples(st.sampled_from(["a", "b", "ü-1"]), st.floats(-2000, 2000), st.lists(NEW, min_size=1, max_size=4)),
    max_size=25,
)


Fresh = Callable[[Callable[[], datetime]], Any]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Fresh:
    """Makes an empty store, with a clock, each time that it is called."""
    if request.param == "memory":
        return lambda clock: MemoryEventStore(clock=clock)
    if request.param == "sqlite":
        return lambda clock: SqlEventStore(f"sqlite:///{tmp_path / uuid.uuid4().hex}.db", clock=clock)
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        return lambda clock: SqlEventStore(url, clock=clock, schema=f"t{uuid.uuid4().hex}")
    kafka = request.getfixturevalue("kafka")
    # Records have the times of the story's clock, by which the broker would delete them: see P20.
    return lambda clock: KafkaEventLog(kafka, kafka.topic("law", retention_ms=-1), clock=clock)


def archive_in_parts(fresh: Fresh, story: Any, first: int, by: Any, after: int) -> None:
    """The law: whatever happened, and wherever the first run ended, archive and restored store are as the store."""
    now, used = START, set()
    with (
        closing(fresh(lambda: now)) as store,
        closing(fresh(lambda: now)) as back,
        tempfile.TemporaryDirectory() as scratch,
    ):
        for part in (story[:first], story[first:]):
            for key, hours, events in part:
                now = START + timedelta(hours=hours)
                unique = [each for each in events if each.id not in used]
                if unique and len({each.id for each in unique}) == len(unique):
                    store.append(StreamId("cart", key), unique)
                    used.update(each.id for each in unique)
            found = archive(store, scratch, by)
        stored, everything = plain(store.read_stored()), list(store.read_all())
        assert list(found.read_stored()) == stored
        assert list(found.read_all()) == list(replay(found, store)) == everything
        assert (found.until, found.events, found.finished) == (store.head(), len(stored), True)
        assert list(found.read_stored(Position(after), Position(after + 9))) == [
            each for each in stored if after < each.position <= after + 9
        ]
        found.check()
        assert restore(found, back) == len(stored)
        assert plain(back.read_stored()) == stored
        assert list(back.read_all()) == everything
        for path in Path(scratch).rglob("*.parquet"):
            month = {
                f"{each:%Y-%m-%d}".startswith(path.parent.name.split("=")[1])
                for each in pq.read_table(path)["recorded_time"].to_pylist()
            }
            assert month == {True}


LAW = given(STORY, st.integers(0, 25), st.sampled_from(["month", "day"]), st.integers(0, 80))
SAME_PLACE = [HealthCheck.function_scoped_fixture]  # each example has stores of its own there


@pytest.mark.parametrize("fresh", ["memory", "sqlite"], indirect=True)
@settings(max_examples=20, suppress_health_check=SAME_PLACE)
@LAW
def test_what_is_archived_in_parts_is_what_is_stored(fresh: Fresh, story: Any, first: int, by: Any, after: int) -> None:
    archive_in_parts(fresh, story, first, by, after)


@pytest.mark.parametrize("fresh", ["postgres", "kafka"], indirect=True)
@settings(max_examples=8, suppress_health_check=SAME_PLACE)  # each takes a schema or a topic, twice
@LAW
def test_so_it_is_on_a_server_and_on_a_broker(fresh: Fresh, story: Any, first: int, by: Any, after: int) -> None:
    archive_in_parts(fresh, story, first, by, after)


def test_every_store_and_a_topic_come_back_byte_for_byte(sql_url: str, tmp_path: Path) -> None:
    store = filled(SqlEventStore(sql_url))
    store.append(StreamId("account", "ana"), demo_account()[:30])
    found = archive(store, tmp_path / "archive")
    stored = list(store.read_stored())
    assert list(found.read_stored()) == stored
    assert list(found.read_all()) == list(store.read_all())
    store.close()


def test_a_topic_goes_into_an_archive_and_into_another_topic(kafka: Any, tmp_path: Path) -> None:
    log, other = KafkaEventLog(kafka, kafka.topic("carts")), KafkaEventLog(kafka, kafka.topic("again"))
    filled(log, 5)
    found = archive(log, tmp_path)
    assert list(found.read_all()) == list(log.read_all())
    assert restore(found, other) == found.events
    assert list(other.read_stored()) == list(log.read_stored())
    log.close()
    other.close()


def test_any_engine_reads_it_with_the_period_as_a_column(tmp_path: Path) -> None:
    store = MemoryEventStore(clock=at(0, 1, 2.5, 3))
    for _ in range(4):
        store.append(CART, [left()])
    archive(store, tmp_path)
    assert files(tmp_path) == [
        "manifest.json",
        "month=2026-03/000000000000001-000000000000002.parquet",
        "month=2026-04/000000000000003-000000000000004.parquet",
    ]
    frame = polars.read_parquet(tmp_path / "**/*.parquet", hive_partitioning=True)
    assert frame["month"].to_list() == ["2026-03", "2026-03", "2026-04", "2026-04"]
    assert frame["stream"].unique().to_list() == ["cart-1"]
    assert frame["data"][0] == '{"reason":"late"}'


def test_clocks_that_go_back_and_forth_keep_the_order_of_positions(tmp_path: Path) -> None:
    store = MemoryEventStore(clock=at(*[0, 3, 0, 900, 3, 1700, 2500, 0, 3, 3300, 4100, 0] * 4))
    for _ in range(40):
        store.append(CART, [left()])
    found = archive(store, tmp_path)
    assert [each.position for each in found.read_all()] == list(range(1, 41))
    assert len({Path(part.file).parent for part in found.manifest.parts}) == 7


def test_an_archive_of_nothing(tmp_path: Path) -> None:
    found = archive(MemoryEventStore(), tmp_path)
    assert (found.until, found.events, list(found.read_all())) == (0, 0, [])
    assert restore(found, MemoryEventStore()) == 0


def test_nothing_new_changes_nothing(tmp_path: Path) -> None:
    store = filled(MemoryEventStore())
    archive(store, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    archive(store, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


# -- archive and store as one ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pruned", [False, True])
def test_archive_then_store_no_gap_and_no_duplicate(sqlite_url: str, tmp_path: Path, pruned: bool) -> None:
    store = filled(SqlEventStore(sqlite_url))
    everything = list(store.read_all())
    found = archive(store, tmp_path / "archive")
    late = filled_later(store)
    everything += late
    if pruned:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM events WHERE position <= {found.until}")
    assert list(replay(found, store)) == everything
    for after in (0, 1, found.until - 1, found.until, found.until + 2, store.head()):
        assert list(replay(found, store, Position(after))) == [each for each in everything if each.position > after]
    assert archive(store, tmp_path / "archive").until == everything[-1].position
    assert list(replay(Archive(tmp_path / "archive"), store)) == everything
    store.close()


def filled_later(store: Any) -> list[Any]:
    before = store.head()
    for n in range(5):
        store.append(StreamId("cart", f"late-{n}"), [left(), left()])
    return list(store.read_all(after=before))


def test_a_topic_that_has_lost_its_beginning_keeps_its_versions_behind_the_archive(kafka: Any, tmp_path: Path) -> None:
    """The readers of a log count versions: without the archive they begin again at 1."""
    topic = kafka.topic("carts")
    log = KafkaEventLog(kafka, topic)
    log.append(CART, [left() for _ in range(4)])
    found = archive(log, tmp_path)
    log.append(CART, [left(), left()])
    everything = list(log.read_all())
    assert [each.version for each in everything] == [1, 2, 3, 4, 5, 6]
    clients.await_futures(kafka.admin.delete_records([TopicPartition(topic, 0, 3)]))
    assert [each.version for each in log.read_all()] == [1, 2, 3]
    assert list(replay(found, log)) == everything
    assert list(replay(found, log, Position(5))) == everything[5:]
    assert list(archive(log, tmp_path).read_all()) == everything
    log.close()


def test_a_half_written_archive_and_its_store_are_still_one_sequence(tmp_path: Path) -> None:
    store = filled(MemoryEventStore())
    stop_after(20, store, tmp_path)
    half = Archive(tmp_path)
    assert 0 < half.until < store.head()
    assert list(replay(half, store)) == list(store.read_all())


def test_another_store_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    found = archive(filled(MemoryEventStore()), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    same_length = MemoryEventStore()
    same_length.append(CART, [left() for _ in range(found.until + 10)])
    for wrong, why in [
        (same_length, "is the archive of another store: at position"),
        (filled(MemoryEventStore(), 3), f"goes up to position {found.until}, and this store ends at"),
        (MemoryEventStore(), "this store ends at 0"),
    ]:
        with pytest.raises(ArchiveError, match=why):
            archive(wrong, tmp_path)
        with pytest.raises(ArchiveError, match=why):
            replay(found, wrong)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


# -- stopped, damaged, refused --------------------------------------------------------------------------------------


class Stopped(BaseException):
    """As if the program had been killed."""


def stop_after(steps: int, store: Any, directory: Path) -> bool:
    """Write the archive, and stop before the next step that changes the disk; whether it was stopped."""
    left_over = count(steps, -1)

    def tick() -> None:
        if next(left_over) == 0:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        for name, of in (
            ("replace", Path),
            ("write_bytes", Path),
            ("mkdir", Path),
            ("unlink", Path),
            ("close", module._File),
            ("write", module._File),
        ):
            real = getattr(of, name)

            def stopping(*args: Any, _real: Any = real, **kwargs: Any) -> Any:
                tick()
                return _real(*args, **kwargs)

            patch.setattr(of, name, stopping)
        try:
            archive(store, directory)
        except Stopped:
            return True
    return False


def test_stopped_anywhere_it_is_whole_as_far_as_it_says_and_goes_on(tmp_path: Path) -> None:
    store = filled(MemoryEventStore(clock=at(*(n / 4 for n in range(40)))))
    stored = plain(store.read_stored())
    for steps in count():
        directory = tmp_path / str(steps)
        stopped = stop_after(steps, store, directory)
        if stopped and (directory / "manifest.json").exists():
            half = Archive(directory)
            assert list(half.read_stored()) == stored[: half.until]
            assert not half.finished
            with pytest.raises(ArchiveError, match=r"is half-written: .* write it again, which goes on there"):
                restore(half, MemoryEventStore())
        elif stopped:
            with pytest.raises(ArchiveError, match="holds no archive that was ever finished"):
                Archive(directory)
        found = archive(store, directory)
        assert list(found.read_stored()) == stored
        found.check()
        assert files(directory) == sorted(["manifest.json", *(part.file for part in found.manifest.parts)])
        if not stopped:
            assert steps > 20
            return


@pytest.fixture
def whole(tmp_path: Path) -> Archive:
    return archive(filled(MemoryEventStore()), tmp_path / "archive")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "it is missing"),
        (flip, "its checksum is another one"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "its checksum is another one"),
        (lambda path: path.write_bytes(b""), "its checksum is another one"),
    ],
)
def test_a_bad_file_is_named_before_any_of_its_events(whole: Archive, damage: Any, says: str) -> None:
    part = whole.manifest.parts[1]
    damage(whole.directory / part.file)
    store = MemoryEventStore()
    for use in (whole.check, lambda: restore(whole, store), lambda: list(whole.read_all())):
        with pytest.raises(ArchiveError) as caught:
            use()
        assert str(whole.directory / part.file) in str(caught.value)
        assert says in str(caught.value)
        assert "bring it back from a copy" in str(caught.value)
    assert store.head() == 0
    assert len(list(whole.read_all(until=whole.manifest.parts[0].last))) == whole.manifest.parts[0].events


def test_a_file_that_is_missing_shows_when_the_call_begins(whole: Archive) -> None:
    (whole.directory / whole.manifest.parts[-1].file).unlink()
    with pytest.raises(ArchiveError, match="it is missing"):
        whole.read_all()


def resealed(found: Archive, change: Any) -> Archive:
    """The archive with its first file changed, checksum included."""
    part = found.manifest.parts[0]
    path = found.directory / part.file
    change(path)
    text = (found.directory / "manifest.json").read_text().replace(part.sha256, module._sha256(path))
    (found.directory / "manifest.json").write_text(text)
    return Archive(found.directory)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: path.write_text("not Parquet"), "does not hold events"),
        (lambda path: pq.write_table(pq.read_table(path).drop(["id"]), path), "does not hold events"),
        (lambda path: pq.write_table(pq.read_table(path)[:3], path), "it has 3 events from 1 to 3, which is not"),
        (
            lambda path: pq.write_table(pq.read_table(path).take([1, 0, 2, 3, 4, 5, 6]), path),
            "its positions go back at 1",
        ),
    ],
)
def test_a_file_that_somebody_made_is_found_by_the_check(whole: Archive, change: Any, says: str) -> None:
    with pytest.raises(ArchiveError, match=says):
        resealed(whole, change).check()


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("", "is damaged"),
        ('{"by": "month", "parts": [', "is damaged"),
        ('{"by": "week"}', "is damaged"),
        ('{"by": "month", "parts": [], "surprise": 1}', "is damaged"),
        ('{"by": "month", "format": 2}', "is of format 2, and this program reads 1"),
        (json.dumps({"by": "month", "parts": [{"file": "../x", "events": 1, "first": 1, "last": 1, "sha256": ""}]}),
         "it names '../x'"),
    ],
)  # fmt: skip
def test_a_bad_manifest_is_named(tmp_path: Path, manifest: str, says: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    for use in (lambda: Archive(tmp_path), lambda: archive(MemoryEventStore(), tmp_path)):
        with pytest.raises(ArchiveError, match=r"manifest\.json"):
            use()
        with pytest.raises(ArchiveError, match=says):
            use()
    assert (tmp_path / "manifest.json").read_text() == manifest


def test_what_is_no_archive_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"no archive that was ever finished.*eventlab archive write"):
        Archive(tmp_path / "nowhere")
    (tmp_path / "thesis.odt").write_text("ten years")
    with pytest.raises(ArchiveError, match=r"is not empty \(thesis\.odt\), and no archive"):
        archive(MemoryEventStore(), tmp_path)
    with pytest.raises(ArchiveError, match=r"thesis\.odt: there is a file of that name; use another directory"):
        archive(MemoryEventStore(), tmp_path / "thesis.odt")
    with pytest.raises(ArchiveError, match="a part of the path is a file"):
        archive(MemoryEventStore(), tmp_path / "thesis.odt" / "archive")
    assert files(tmp_path) == ["thesis.odt"]


def test_the_partition_stays(whole: Archive) -> None:
    with pytest.raises(ArchiveError, match="partitioned by month, not by day"):
        archive(filled(MemoryEventStore()), whole.directory, "day")
    with pytest.raises(ValueError, match="by month or day, not by 'week'"):
        archive(filled(MemoryEventStore()), whole.directory, "week")  # type: ignore[arg-type]


def test_two_runs_at_once_are_told(tmp_path: Path) -> None:
    store = filled(MemoryEventStore())

    class Slow(MemoryEventStore):
        def read_stored(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[Any]:
            yield from list(store.read_stored(after))[:5]
            archive(store, tmp_path / "archive")
            yield from list(store.read_stored(after))[5:]

    with pytest.raises(ArchiveError, match=r"run one at a time"):
        archive(Slow(), tmp_path / "archive")
    assert list(Archive(tmp_path / "archive").read_stored()) == plain(store.read_stored())


def test_events_that_cannot_be_decoded_are_archived_all_the_same(sqlite_url: str, tmp_path: Path) -> None:
    store = SqlEventStore(sqlite_url)
    store.append(CART, [left()])
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET type = 'LostType', data = '{\"a\": 1}'")
    found = archive(store, tmp_path / "archive")
    assert [(each.type, each.data) for each in found.read_stored()] == [("LostType", '{"a": 1}')]
    with pytest.raises(EventError, match=r"cart-1 version 1.*LostType"):
        list(found.read_all())
    store.close()


@pytest.mark.parametrize("damage", ["id = 'zz'", "recorded_time = 'yesterday'", "stream = 'nothing'"])
def test_a_damaged_event_is_named_and_what_is_archived_stays(sqlite_url: str, tmp_path: Path, damage: str) -> None:
    store = filled(SqlEventStore(sqlite_url))
    found = archive(store, tmp_path / "archive")
    filled_later(store)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE events SET {damage} WHERE position = {found.until + 3}")
    if damage.startswith("stream"):
        archive(store, tmp_path / "archive")  # it is text, as stored; who decodes it is told
        reading = Archive(tmp_path / "archive").read_stored(found.until)
        with pytest.raises(ArchiveError, match=r"does not hold events"):
            list(reading)
        return
    with pytest.raises(EventError, match=rf"position {found.until + 3}\) cannot be read"):
        archive(store, tmp_path / "archive")
    again = Archive(tmp_path / "archive")
    assert (again.until, again.finished) == (found.until, False)
    again.check()
    store.close()


def test_a_full_store_takes_no_archive(whole: Archive) -> None:
    store = filled(MemoryEventStore(), 1)
    before = list(store.read_all())
    with pytest.raises(StoreError, match="restore into an empty one"):
        restore(whole, store)
    assert list(store.read_all()) == before


def _write_with_little_room(directory: Path, told: Any) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))  # bytes of a file: less than a batch takes
    try:
        archive(filled(MemoryEventStore()), directory)
    except ArchiveError as error:
        told.put(str(error))
    except BaseException as error:
        told.put(repr(error))


def test_no_room_left_is_a_sentence_and_the_next_run_goes_on(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    process = context.Process(target=_write_with_little_room, args=(tmp_path, told))
    process.start()
    said = told.get(timeout=60)
    process.join()
    assert "the file is larger than this user or this disk may have" in said
    assert "run it again: it goes on where it stopped" in said
    assert not Archive(tmp_path).finished
    store: Sequence[Any] = list(archive(filled(MemoryEventStore()), tmp_path).read_all())
    assert len(store) == len(list(filled(MemoryEventStore()).read_all()))
    assert not [name for name in files(tmp_path) if name.endswith(".part")]
