"""The shop and the bank of lesson 07 show what the lesson says, whatever the machine."""

import pytest

from eventlab.course import shop_views
from eventlab.course.shop_views import additions, carts, parcels, parcels_mended
from eventlab.domain.cart import ItemAdded
from eventlab.views import HandlerFailed, Projector, lag, parked, retry_parked


@pytest.fixture(scope="module")
def shop():
    return shop_views.Shop(carts=40)


def test_views_of_the_same_events_agree_with_the_folds(shop):
    Projector(shop.store, carts).catch_up()
    Projector(shop.store, additions).catch_up()
    assert shop.wrong(carts) == []
    events = [each for each in shop.store.read_all() if isinstance(each.event, ItemAdded)]
    rows = shop.table(additions)
    assert list(rows["position"]) == [each.position for each in events]
    assert rows["cents"].sum() == sum((each.event.price * each.event.quantity).minor for each in events)


def test_who_waits_for_the_position_sees_what_they_wrote_and_clicks_once(shop):
    visits = shop.visit(customers=5, wait=True)
    assert visits.count == 0
    assert set(shop.table(carts).query("customer.str.startswith('customer')")["pieces"]) == {1}
    assert "0 of 5 customers" in repr(visits)


def test_who_does_not_see_it_clicks_again():
    shop = shop_views.Shop(carts=5)
    visits = shop.visit(customers=10)
    Projector(shop.store, carts).catch_up()
    twice = shop.table(carts).query("customer.str.startswith('customer') and pieces == 2")
    assert len(twice) == visits.count
    table = visits.chart().table
    assert list(table.iloc[0]) == [0, 0]
    assert table["customers who see it"].iloc[-1] == 10


def test_a_rush_ends_with_a_view_that_has_everything(shop):
    rush = shop.rush(carts, clicks=20)
    assert rush["events behind"].max() > 0
    assert rush["events behind"].iloc[-1] == 0
    assert shop.wrong(carts) == []
    assert "none after" in shop_views.rush_chart(rush).alt


def test_gift_cards_stop_the_parcels_or_park_their_carts():
    shop = shop_views.Shop(carts=40)
    with pytest.raises(HandlerFailed, match="weight"):
        Projector(shop.store, parcels).catch_up()
    assert lag(shop.store, parcels).events > 0
    Projector(shop.store, parcels, on_failure="park").catch_up()
    aside = {each.stream for each in parked(shop.store, parcels)}
    assert shop.wrong(parcels)
    assert set(shop.wrong(parcels)) <= aside
    retry_parked(shop.store, parcels_mended)
    assert shop.wrong(parcels) == []


def test_the_morning_after_has_wrong_parcels_to_find():
    assert shop_views.morning_after().wrong(parcels)


class TestCashMachines:
    @pytest.mark.parametrize(("behind", "too_many"), [(1, 0), (4, 1), (8, 5), (24, 21)])
    def test_by_the_view_they_pay_too_much_by_its_lag(self, behind, too_many):
        assert shop_views.cash_machines("view", behind).count == too_many

    @pytest.mark.parametrize("decide_on", ["view and version", "stream"])
    def test_with_an_expected_version_never(self, decide_on):
        cash = shop_views.cash_machines(decide_on)
        assert (cash.paid, cash.count, str(cash.balance)) == (3, 0, "10.00 EUR")


def test_a_view_within_the_append_is_never_late():
    visits = shop_views.Shop(carts=5, kept_inline=[shop_views.carts]).visit(customers=10)
    assert visits.count == 0
