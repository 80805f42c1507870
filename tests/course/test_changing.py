"""The shop of lesson 10: three programs' events, what each repair makes of them, and the registry's verdicts."""

import pytest

from eventlab.course import changing, compatibility
from eventlab.course.changing import DEFAULTED, OF_2023, RENAMED, UPCAST
from eventlab.course.compatibility import CHANGES, ITEM_ADDED, Desk, reads
from eventlab.domain import cart
from eventlab.events.codec import JsonCodec
from eventlab.store import execute, transform

CARTS = 60


@pytest.fixture(scope="module")
def shop():
    shop = changing.Shop(carts=CARTS)
    yield shop
    shop.close()


def test_the_new_class_opens_its_own_carts_only_and_says_so(shop):
    outcomes = shop.outcomes(RENAMED)
    assert list(outcomes["found"] == "opens, right") == [number >= CARTS * 2 / 3 for number in range(CARTS)]
    assert outcomes["because"][0].startswith("cart-1 version 2 (position 2): no event class is registered")


def test_defaults_open_everything_and_lie(shop):
    outcomes = shop.outcomes(DEFAULTED)
    assert set(outcomes["found"][: CARTS * 2 // 3]) == {"opens, wrong", "opens, right"}  # some carts are empty again
    assert (outcomes["found"] == "opens, wrong").sum() > CARTS / 3
    assert (outcomes["found"] != "does not open").all()


def test_upcasters_open_everything_as_it_was(shop):
    assert shop.count(UPCAST, "opens, right") == CARTS
    alt = shop.picture({"class": RENAMED, "upcasters": UPCAST}).alt
    assert f"class: {CARTS * 2 // 3} carts does not open" in alt
    assert f"upcasters: {CARTS} carts opens, right" in alt


def test_down_and_up_again_is_the_same():
    codec = JsonCodec(UPCAST)
    event = cart.ItemAdded("socks", 2, changing.Money(5, "EUR"))
    assert codec.decode(*codec.downcast(event, 2)) == event


def test_the_copy_has_one_form_and_the_same_carts(shop):
    old = shop.store(UPCAST)
    assert list(shop.forms(old)["schema version"]) == [1, 2, 3]
    assert [text.split(":")[0] for text in shop.examples(old)] == [
        "ItemPutIn, version 1",
        "ItemPutIn, version 2",
        "ItemAdded, version 3",
    ]
    same = transform.same_fold(cart.decider, cart.decider)
    copied = transform.copy(old, lambda clock: shop.store(UPCAST, clock, "new"), changing.pieces_together, same)
    assert list(shop.forms(copied.store)["schema version"]) == [3]
    assert sum(copied.after.values()) < sum(copied.before.values())


def test_a_swap_is_taken_apart_by_the_fold_and_stays_one_event():
    store = changing.with_a_swap()
    execute(store, cart.decider.splitting(changing.parts), changing.SWAPPED, cart.CheckOut())
    assert [(each.version, str(each.event)) for each in store.read(changing.SWAPPED)][2:] == [
        (3, "swapped 2 socks for trousers at 49.90 EUR"),
        (4, "checked out for 99.80 EUR"),
    ]


def test_old_events_cost_more_to_load(shop):
    assert shop.slowdown(UPCAST) > 1


def test_a_shop_takes_its_files_with_it():
    shop = changing.Shop(carts=3)
    directory = shop._directory
    assert list(directory.glob("shop.db"))
    assert shop.store(OF_2023).head() > 0
    shop.close()
    assert not directory.exists()


def test_what_really_breaks():
    broken = {change: (reads(ITEM_ADDED, schema), reads(schema, ITEM_ADDED)) for change, schema in CHANGES.items()}
    assert list(broken.values()) == [(True, True), (False, True), (True, False), (False, False), (False, False)]


@pytest.fixture
def desk(schema_registry, monkeypatch):
    monkeypatch.setenv("EVENTLAB_REGISTRY", schema_registry)
    return Desk()


def test_the_registry_holds_to_what_really_breaks(desk):
    table = desk.table(["BACKWARD", "FORWARD", "FULL_TRANSITIVE"])
    backward, forward = table["new reads old"] == "yes", table["old reads new"] == "yes"
    assert list(table["BACKWARD"] == "accepted") == list(backward)
    assert list(table["FORWARD"] == "accepted") == list(forward)
    assert list(table["FULL_TRANSITIVE"] == "accepted") == list(backward & forward)
    assert desk.accepted("NONE") == len(CHANGES)


@pytest.mark.parametrize("union", [False, True])
def test_what_the_lesson_registers_goes_again(desk, kafka, schema_registry, union):
    client = compatibility.SchemaRegistryClient({"url": schema_registry})
    before = client.get_subjects()
    story = [cart.CartCreated("Ana", "EUR"), cart.ItemAdded("socks", 2, changing.Money(450, "EUR"))]
    through = desk.through(kafka, story, union=union)
    assert list(through["came back"]) == ["the same"] * 2
    assert (through["bytes as Avro"] < through["bytes as JSON"]).all()
    desk.accepts("another name", "FULL")
    assert client.get_subjects() == before


def test_without_a_registry_the_desk_says_why(monkeypatch):
    monkeypatch.setenv("EVENTLAB_REGISTRY", "http://127.0.0.1:1")
    desk = Desk()
    assert not desk
    assert repr(desk).startswith(
        "No schema registry here, so nothing to see: The schema registry that EVENTLAB_REGISTRY"
    )
