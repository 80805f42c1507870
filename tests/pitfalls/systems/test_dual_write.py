from collections import Counter

import pytest

from eventlab.cluster import LabError
from eventlab.pitfalls.orders import LISTENING
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.systems import dual_write
from eventlab.pitfalls.systems.dual_write import STEPS, Books


@pytest.fixture(scope="module", params=STEPS)
def books(request, kafka) -> tuple[str, Books]:
    return request.param, dual_write.run(kafka, way=request.param)


def test_the_shop_is_killed_once_at_each_step_and_only_between_the_two_writes_do_they_differ(books):
    way, result = books
    assert tuple(result.killed.values()) == STEPS[way]
    wrong = {
        "commit, then publish": {"committed": "missing event", "handed over": "missing event"},
        "publish, then commit": {"acknowledged": "ghost"},
        "outbox": {},
        "listen to yourself": {},
        "change data capture": {},
    }
    table = result.table()
    found = table[table["verdict"] != ""]
    assert dict(zip(found["killed at"], found["verdict"], strict=True)) == wrong[way]
    assert result.count == len(wrong[way]) == len(result.missing) + len(result.ghosts)


def test_orders_that_were_taken_in_peace_are_in_both_places(books):
    _, result = books
    quiet = [order.key for order in result.orders if order.key not in result.killed]
    assert result.stored.issuperset(quiet)
    assert all(result.published[key] for key in quiet)


def test_the_helpers_are_killed_too_and_a_relay_sends_again_what_the_reader_takes_once(books):
    way, result = books
    helpers = {
        "outbox": ["relay: acknowledged", "relay: noted"],
        "change data capture": ["relay: acknowledged", "relay: noted"],
        "listen to yourself": [f"listener: {step}" for step in LISTENING],
    }
    assert list(result.killed_beside) == helpers.get(way, [])
    assert set(result.published.values()) == ({2} if "relay: acknowledged" in result.killed_beside else {1})


@pytest.mark.parametrize("url", ["sqlite:///shop.db", "postgresql+psycopg://nobody:x@127.0.0.1:9/shop"])
def test_a_database_whose_log_cannot_be_followed_is_a_sentence(kafka, monkeypatch, url):
    monkeypatch.setenv("EVENTLAB_SQL", url)
    with pytest.raises(LabError, match=r"does not let you follow its log.*The lab's own"):
        dual_write.run(kafka, way="change data capture")


ORDERS = [Fact(f"order-{number}", 1, "OrderPlaced", "3 × trousers", "shop") for number in (1, 2, 3, 4)]
PLANTED = Books(
    ORDERS,
    frozenset({"order-1", "order-2"}),
    Counter({"order-1": 2, "order-3": 1}),
    {"order-2": "committed", "order-3": "acknowledged"},
)


def test_it_counts_what_is_in_one_place_only_and_not_what_is_in_neither():
    assert (PLANTED.missing, PLANTED.ghosts) == (["order-2"], ["order-3"])
    assert (PLANTED.count, PLANTED.of) == (2, 4)
    assert repr(PLANTED) == "2 of 4 orders are in one of the two places only"
    assert PLANTED.table()["verdict"].tolist() == ["", "missing event", "ghost", ""]


def test_the_picture_says_where_it_died_and_what_came_of_it():
    alt = PLANTED.picture().alt
    assert "Missing events: 1, ghosts: 1." in alt
    assert "order-2 (committed): missing event; order-3 (acknowledged): ghost." in alt
