"""Deposits at once: lost without a lock, ten times of ten; with every other way, never."""

import re
import threading

import pytest
import sqlalchemy

from eventlab.cluster import processes
from eventlab.locks import WAYS, Step, Way, stopping
from eventlab.pitfalls import lost_update
from eventlab.show.palette import VERMILLION

REPEAT = 10
CURED = [name for name in WAYS if name != "no lock"]
ON_SQLITE = [name for name, way in WAYS.items() if not way.needs_postgres]


@pytest.mark.parametrize("attempt", range(REPEAT))
def test_without_a_lock_all_but_one_of_each_round_are_lost(postgres_url, attempt):
    result = lost_update.run(postgres_url, writers=4, rounds=3)
    assert (result.updates, result.stored, result.count) == (12, 3, 9)
    assert result.retries == 0, "and nobody is told"


@pytest.mark.parametrize("way", CURED)
def test_every_other_way_keeps_all_of_them(postgres_url, way):
    for _ in range(REPEAT):
        result = lost_update.run(postgres_url, way=way, writers=4, rounds=3)
        assert (result.updates, result.stored, result.count) == (12, 12, 0)
    optimistic = way in ("version column", "event store")
    assert (result.retries > 0) == optimistic, "all had read before the first wrote"


@pytest.mark.parametrize("way", ON_SQLITE)
def test_the_same_on_sqlite(sqlite_url, way):
    result = lost_update.run(sqlite_url, way=way, writers=3, rounds=2)
    assert result.count == (4 if way == "no lock" else 0)


@pytest.mark.parametrize("way", WAYS)
def test_under_load(postgres_url, way):
    result = lost_update.load(postgres_url, way=way, writers=8, updates=40)
    assert (result.count > 0) == (way == "no lock")
    assert result.rate == result.updates / result.seconds > 0


@pytest.mark.parametrize("way", ["advisory lock", "Redis lock"])
def test_a_lock_that_does_not_lock_is_found_out(postgres_url, monkeypatch, way):
    """Each writer asks for another lock, as with a misspelt name: the meeting is not what keeps the deposits."""

    def own_lock(teller, amount, tell):
        teller.key = f"{teller.key}:{threading.get_ident()}"
        return WAYS[way].deposit(teller, amount, tell)

    monkeypatch.setitem(WAYS, "misspelt", Way(own_lock, needs_redis=True))
    assert lost_update.run(postgres_url, way="misspelt", writers=3, rounds=3).count == 6


def test_a_single_writer_loses_nothing(postgres_url):
    assert lost_update.load(postgres_url, way="no lock", writers=1, updates=20).count == 0


def test_a_writer_that_stops_with_the_lock_in_hand(postgres_url):
    broken = lost_update.paused(postgres_url, way="Redis lock", rounds=REPEAT)
    cured = lost_update.paused(postgres_url, way="Redis + fence", rounds=REPEAT)
    assert (broken.count, broken.updates, broken.retries) == (REPEAT, 2 * REPEAT, 0)
    assert (cured.count, cured.updates, cured.retries) == (0, 2 * REPEAT, REPEAT)
    for result, end in ((broken, (1, Step.WRITES)), (cured, (1, Step.REFUSED))):
        for number in range(1, REPEAT + 1):
            order = [(told.writer, told.step) for told in result.steps if told.round == number]
            assert order.index((1, Step.READS)) < order.index((2, Step.LOCKS)) < order.index((2, Step.WRITES))
            assert order[order.index((2, Step.WRITES)) + 1] == end


def test_the_writer_that_stopped_is_gone_afterwards(postgres_url):
    lost_update.paused(postgres_url, rounds=1)
    assert processes.marked(stopping.__file__) == []


def test_nothing_is_left_in_the_database(postgres_url):
    lost_update.run(postgres_url, way="event store", writers=2, rounds=1)
    engine = sqlalchemy.create_engine(postgres_url)
    assert [name for name in sqlalchemy.inspect(engine).get_schema_names() if "eventlab" in name] == []
    engine.dispose()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda url: lost_update.run(url, way="luck"), "there is no way of locking 'luck'; there are: no lock, "),
        (lambda url: lost_update.run(url, way="FOR UPDATE"), "'FOR UPDATE' needs PostgreSQL"),
        (lambda url: lost_update.run(url, writers=0), "give 1 or more"),
        (lambda url: lost_update.load(url, writers=7, updates=40), "40 updates cannot be shared out evenly among 7"),
        (lambda url: lost_update.paused(url, way="advisory lock"), "no lease.*Redis lock, Redis . fence"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(sqlite_url, call, told):
    with pytest.raises(ValueError, match=told):
        call(sqlite_url)


def test_the_cause_is_told_when_a_writer_fails(postgres_url, monkeypatch):
    class Broken(RuntimeError):
        pass

    def fail(teller, amount, tell):
        raise Broken("planted")

    monkeypatch.setitem(WAYS, "no lock", Way(fail))
    with pytest.raises(Broken):
        lost_update.run(postgres_url, writers=3)


class TestWhatIsShown:
    @pytest.fixture
    def result(self, sqlite_url):
        return lost_update.run(sqlite_url, writers=2, rounds=2)

    @pytest.fixture
    def comparison(self, sqlite_url):
        return lost_update.compare(sqlite_url, ways=["no lock", "version column"], writers=(1, 4))

    def test_a_round_step_by_step(self, result):
        table = result.table(round=2)
        assert list(table["does"]) == ["reads", "reads", "writes", "writes"]
        assert list(table["balance"]) == ["1.00", "1.00", "2.00", "2.00"]
        assert result.table(round=3).empty

    def test_the_picture_says_the_same_in_words(self, result):
        picture = result.picture()
        for row in result.table().itertuples():
            assert f"writer {row.writer} {row.does} {row.balance}" in picture.alt
        assert "writes" in picture.svg
        assert repr(result) == "no lock: 2 of 4 updates lost"
        assert "<b>2 of 4</b> updates lost" in result._repr_html_()

    def test_the_comparison_has_a_row_for_each(self, comparison):
        table = comparison.table()
        assert list(zip(table["way"], table["writers"], strict=True)) == [
            ("no lock", 1), ("no lock", 4), ("version column", 1), ("version column", 4)
        ]  # fmt: skip
        assert list(table.loc[table["way"] == "version column", "lost"]) == [0, 0]
        assert all(table["updates per second"] > 0)
        assert comparison.of("version column", 4).writers == 4
        with pytest.raises(KeyError):
            comparison.of("version column", 3)

    def test_the_chart_names_who_loses_and_who_is_fast(self, comparison):
        chart = comparison.chart()
        assert re.search(r"With 4 writers the most updates per second has \w", chart.alt)
        losers = "no lock" if comparison.table()["lost"].any() else "none of them"
        assert chart.alt.endswith(f"Updates are lost with {losers}.")
        assert VERMILLION in chart.svg
        for way in ("no lock", "version column"):
            assert way in chart.svg
        assert chart.table.equals(comparison.table())
