"""The shop of lesson 02: what it works out changes with process and day, what it wrote down does not."""

from datetime import date
from functools import reduce

import pytest

from eventlab.course import sales, same_again
from eventlab.domain import cart
from eventlab.domain.cart import AddItem, ChangeQuantity, CheckedOut, CheckOut, CreateCart, RemoveItem
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

PRICE = Money.of("49.90", "EUR")
SATURDAY, SUNDAY = date(2026, 3, 14), date(2026, 3, 15)
HISTORIES = same_again.bought(seed=2, n=60)
STORIES = [[new.event for new in history] for history in HISTORIES]
NOTED = same_again.with_facts(HISTORIES)
MANY = len(STORIES)


def test_only_purchases_are_loaded():
    assert 0 < MANY < 60
    assert all(isinstance(story[-1], CheckedOut) for story in STORIES)


def test_what_is_worked_out_changes_and_the_cart_does_not():
    table = same_again.three_tests(sales.worked_out, STORIES, SATURDAY, SUNDAY, hash_seeds=(1, 2))
    assert list(table.loc["points"]) == [MANY, MANY, 0]
    assert list(table.loc["order"]) == [0, 0, 0]
    assert list(table.loc["cart"]) == [MANY, MANY, MANY]
    twice, servers, later = table.loc["voucher"]
    assert twice == later == MANY
    assert 0 < servers < MANY


def test_what_is_written_down_is_the_same_in_every_process_and_on_every_day():
    table = same_again.three_tests(sales.written_down, NOTED, SATURDAY, SUNDAY, hash_seeds=(1, 2))
    assert (table == MANY).all(axis=None)


def test_facts_follow_the_rule_of_their_own_day():
    for history, story in zip(HISTORIES, NOTED, strict=True):
        end = history[-1]
        sale = sales.fold(sales.written_down, story)
        assert sale.points == sales.points(end.event.total, end.valid_time.date())
        assert sale.order.startswith("2026-")
    vouchers = sum(sales.fold(sales.written_down, story).voucher for story in NOTED)
    assert 0.15 < vouchers / MANY < 0.5


def test_a_sunday_counts_double():
    assert sales.points(PRICE, SATURDAY) == 49
    assert sales.points(PRICE, SUNDAY) == 98
    on_saturday, on_sunday = (same_again.points_on(sales.worked_out, STORIES, day) for day in (SATURDAY, SUNDAY))
    assert on_sunday == 2 * on_saturday > 0


def test_a_purchase_is_three_events_and_an_empty_cart_is_still_refused():
    basket = cart.decider.fold(STORIES[0][:-1])
    assert [type(event).__name__ for event in sales.check_out(basket, SUNDAY, "7")] == [
        "CheckedOut",
        "PointsEarned",
        "OrderNumbered",
    ]
    with pytest.raises(Refused):
        sales.check_out(cart.decider.fold(STORIES[0][:1]), SUNDAY, "7")


def test_the_picture_has_one_line_that_jumps_and_one_that_does_not():
    figure = same_again.week(STORIES, NOTED, date(2026, 3, 9))
    by_way = figure.table.groupby("points are")["points"].nunique()
    assert by_way["worked out"] == 2
    assert by_way["written down"] == 1
    assert f"written down, {figure.table['points'].iloc[-1]:,} on every day" in figure.alt


def test_every_command_gets_an_answer():
    wishes = [
        CreateCart("Ana", "EUR"),
        AddItem("trousers", 3, PRICE),
        ChangeQuantity("trousers", 3),
        RemoveItem("trousers", 5),
        CheckOut(),
    ]
    assert list(same_again.answers(wishes)) == [
        "CreateCart(Ana, EUR) → Ana began a cart in EUR",
        "AddItem(trousers, 3, 49.90 EUR) → added 3 trousers at 49.90 EUR",
        "ChangeQuantity(trousers, 3) → nothing to do",
        "RemoveItem(trousers, 5) → refused: cannot remove 5 trousers: the cart holds 3",
        "CheckOut() → checked out for 149.70 EUR",
    ]


def test_the_fast_evolve_is_right_once_and_shares_its_state():
    empty = {}
    first = reduce(sales.in_place, STORIES[0], empty)
    state = cart.decider.fold(STORIES[0])
    assert {product: pieces for product, pieces in first.items() if pieces} == {
        product: line.quantity for product, line in state.lines.items()
    }
    assert first is empty
