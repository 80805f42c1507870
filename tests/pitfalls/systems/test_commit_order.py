import re
import threading

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.store.waiting import await_no_client

from eventlab.pitfalls.systems import commit_order
from eventlab.pitfalls.systems.commit_order import CURES, NONE, TRAPS, Comparison, Result
from eventlab.pitfalls.systems.commit_order.gaps import WRITERS_ENDED, timer, writers
from eventlab.pitfalls.systems.commit_order.high_water_mark import HighWaterMark
from eventlab.pitfalls.systems.commit_order.log import append, fresh, take_number
from eventlab.pitfalls.systems.commit_order.snapshot_xmin import BelowHorizon

REPEAT = 10
PAGES = re.compile(r"https://github\.com/\S+?/issues/\d+")


@pytest.fixture(scope="module", params=range(REPEAT))
def turn(request) -> int:
    return request.param


class TestTheFirstCommitsLast:
    def test_without_a_cure_the_late_event_is_never_read(self, postgres_server, turn):
        result = commit_order.run(postgres_server)
        assert (result.lost, result.written, result.seen) == ((1,), (1, 2), (2,))

    @pytest.mark.parametrize("cure", CURES)
    def test_with_a_cure_both_are_read_once(self, postgres_server, turn, cure):
        result = commit_order.run(postgres_server, cure=cure)
        assert (result.count, sorted(result.seen)) == (0, [1, 2])

    @pytest.mark.parametrize("cure", CURES)
    def test_with_a_cure_the_numbers_of_the_transactions_may_be_crossed(self, postgres_server, cure):
        result = commit_order.run(postgres_server, cure=cure, crossed=True)
        assert (result.count, sorted(result.seen)) == (0, [1, 2])

    @pytest.mark.parametrize("trap", TRAPS)
    def test_a_cure_applied_wrongly_loses_it_too(self, postgres_server, turn, trap):
        assert commit_order.run(postgres_server, cure=trap, crossed=True).lost == (1,)


@pytest.mark.parametrize("cure", ["table lock", "advisory lock"])
def test_under_one_lock_the_second_append_waits(postgres_server, cure):
    said = [(step.who, step.does) for step in commit_order.run(postgres_server, cure=cure).steps]
    assert said.index(("second", "waits")) < said.index(("first", "commits")) < said.index(("second", "draws"))


@pytest.mark.parametrize("cure", ["advisory lock per category", "pg_snapshot_xmin", "gap token", "high-water mark"])
def test_without_one_lock_for_all_nobody_waits_for_an_append_of_another_category(postgres_server, cure):
    said = [(step.who, step.does) for step in commit_order.run(postgres_server, cure=cure).steps]
    assert ("second", "waits") not in said
    assert said.index(("second", "commits")) < said.index(("first", "commits"))


def test_a_gap_token_handles_them_in_another_order_than_a_replay(postgres_server):
    live = commit_order.run(postgres_server, cure="gap token")
    assert (live.seen, live.replayed, live.moved) == ((2, 1), (1, 2), 1)
    assert commit_order.run(postgres_server, cure="high-water mark").moved == 0


class TestLoad:
    @pytest.mark.parametrize("cure", CURES)
    def test_with_a_cure_every_committed_event_is_read(self, postgres_server, cure):
        result = commit_order.load(postgres_server, cure=cure, writers=4, appends=40)
        assert result.of == 4 * 38, "of 40 appends each, two were rolled back"
        assert (result.count, len(result.seen)) == (0, result.of)
        assert result.rate > 0
        assert 0 <= result.delay(50) <= result.delay(99)

    def test_what_is_counted_as_lost_is_really_there(self, postgres_server):
        result = commit_order.load(postgres_server, writers=4, appends=40)
        assert result.of == 4 * 38
        assert set(result.seen) | set(result.lost) == set(result.written) == set(result.replayed)

    @pytest.mark.parametrize(("writers", "appends"), [(0, 5), (5, 0)])
    def test_nothing_to_write_is_refused(self, writers, appends):
        with pytest.raises(ValueError, match="give 1 or more"):
            commit_order.load("postgresql+psycopg://x/y", writers=writers, appends=appends)


class TestATransactionThatHasNothingToDoWithIt:
    @pytest.mark.parametrize("cure", [NONE, *CURES])
    @pytest.mark.parametrize("gap", [False, True])
    def test_holds_up_who_goes_by_the_numbers_of_transactions_and_nobody_else(self, postgres_server, cure, gap):
        assert commit_order.beside(postgres_server, cure=cure, gap=gap).count == (cure == "pg_snapshot_xmin")


class TestTheFinePrint:
    def test_a_gap_is_watched_by_who_writes_to_the_table_and_not_by_who_reads_it(self, postgres_server):
        with fresh(postgres_server) as log, log.writer() as writer, log.writer() as other, log.reader() as mine:
            other.execute(text("SELECT * FROM events"))
            assert writers(mine) == frozenset()
            append(writer, "cart-1", 1)
            assert len(writers(mine)) == 1
            writer.rollback()
            assert writers(mine) == frozenset()

    def test_a_position_drawn_before_the_insert_is_lost(self, postgres_server):
        """As programs do that fetch numbers ahead: nobody can see that they hold one."""
        with fresh(postgres_server) as log, log.writer() as early, log.writer() as other, log.reader() as mine:
            reader = HighWaterMark()
            drawn = early.scalar(text("SELECT nextval('events_position_seq')"))
            append(other, "cart-2", 1)
            other.commit()
            seen = [event.position for _ in range(3) for event in reader.poll(mine)]
            early.execute(
                text(
                    "INSERT INTO events (position, category, stream, version) VALUES (:position, 'cart', 'cart-1', 1)"
                ),
                {"position": drawn},
            )
            early.commit()
            seen += [event.position for _ in range(3) for event in reader.poll(mine)]
            assert (log.written(), seen) == ((1, 2), [2])

    def test_the_order_of_transactions_can_turn_a_stream_around(self, postgres_server):
        """A transaction that got its number early reads what a later number committed, and writes the next version."""
        with fresh(postgres_server) as log, log.writer() as early, log.writer() as late, log.reader() as mine:
            take_number(early)
            with late.begin():
                append(late, "cart-1", 1)
            append(early, "cart-1", 2)
            early.commit()
            log.settle()
            assert [event.position for event in BelowHorizon().poll(mine)] == [2, 1]


@given(st.frozensets(st.integers(0, 9)), st.frozensets(st.integers(0, 9)), st.integers(0, 100))
def test_a_gap_is_over_when_all_that_could_fill_it_have_ended(then, now, seconds):
    assert WRITERS_ENDED.is_over(then, now) == all(each not in now for each in then)
    assert timer(50).is_over(0.0, float(seconds)) == (seconds >= 50)


class TestResult:
    def test_it_says_what_is_lost_in_words_and_in_bold(self):
        result = Result("gap < token", (1, 2, 3), (3, 1))
        assert repr(result) == "gap < token: 1 of 3 committed events were never read"
        assert result._repr_html_() == "gap &lt; token: <b>1 of 3</b> committed events were never read"

    @given(st.permutations(range(1, 8)))
    def test_moved_are_the_events_behind_one_that_a_replay_puts_after_them(self, seen):
        result = Result("gap token", tuple(range(1, 8)), tuple(seen), tuple(range(1, 8)))
        assert result.moved == sum(any(other > each for other in seen[:place]) for place, each in enumerate(seen))

    def test_the_steps_are_a_table_and_a_picture_that_says_the_same(self, postgres_server):
        result = commit_order.run(postgres_server)
        assert result.table()[["who", "does", "positions"]].values.tolist() == [
            ["first", "draws", "1"],
            ["second", "draws", "2"],
            ["second", "commits", ""],
            ["reader", "reads", "2"],
            ["first", "commits", ""],
            ["reader", "finds nothing", ""],
        ]
        picture = result.picture()
        assert "first draws 1; second draws 2; second commits; reader reads 2; first commits" in picture.alt
        assert "<svg" in picture.svg

    def test_a_comparison_has_a_row_and_a_bar_for_each_cure(self):
        delays = tuple(number / 1000 for number in range(1, 102))
        broken = Result(NONE, (1, 2, 3), (1, 3), (1, 2, 3), 0.5, delays)
        cured = Result("table lock", (1, 2), (1, 2), (1, 2), 1.0, delays)
        comparison = Comparison([broken, cured])
        assert comparison.of("table lock") is cured
        table = comparison.table()
        assert table["cure"].tolist() == [NONE, "table lock"]
        assert table["lost"].tolist() == [1, 0]
        assert table["appends per second"].tolist() == [6, 2]
        assert table[["median delay", "99 % within"]].values.tolist() == [[51.0, 100.0]] * 2
        assert "none (1 of 3)" in comparison.chart().alt
        assert "Most appends per second: none (6); fewest: table lock (2)" in comparison.chart().alt


def test_in_the_lab_the_numbers_of_the_transactions_are_crossed_with_every_second_seed(kafka):
    """Then a reader may go by them, and a mark that watches `pg_snapshot_xmax` loses the event."""
    trap = "high-water mark by pg_snapshot_xmax"
    assert [commit_order.in_the_lab(kafka, cure=trap, seed=seed).count for seed in (7, 8)] == [1, 0]


class TestBadInput:
    def test_an_unknown_cure_names_the_known_ones(self):
        with pytest.raises(ValueError, match=r"no cure 'prayer'.*table lock"):
            commit_order.run("postgresql+psycopg://x/y", cure="prayer")

    def test_another_database_is_refused_with_the_cure(self):
        with pytest.raises(ValueError, match=r"needs PostgreSQL.*postgres=True"):
            commit_order.run("sqlite:///x.db")

    def test_what_is_no_url_is_refused(self):
        with pytest.raises(ValueError, match="not a database URL"):
            commit_order.run("here")

    def test_a_server_that_does_not_answer_is_named_without_its_password(self):
        with pytest.raises(ConnectionError, match=r"127\.0\.0\.1") as caught:
            commit_order.run("postgresql+psycopg://me:secret@127.0.0.1:1/nowhere")
        assert "secret" not in str(caught.value)


def test_nothing_is_left_behind(postgres_url):
    commit_order.run(postgres_url)
    threads = threading.active_count()
    commit_order.load(postgres_url, writers=2, appends=5)
    assert threading.active_count() == threads
    await_no_client(postgres_url)
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%order%'")).all() == []
    engine.dispose()


def test_it_names_public_threads():
    assert len(set(PAGES.findall(commit_order.__doc__))) == 4
