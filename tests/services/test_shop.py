"""The shop on a live broker: services that are real processes, killed, restarted, and met by a release of the cart."""

import re

import pytest

from eventlab.cluster.processes import Process
from eventlab.services import contract, topic
from eventlab.services.audit import in_carts
from eventlab.services.shop import Shop

CARTS = 40


@pytest.fixture
def internal(kafka):
    with Shop(kafka) as shop:
        shop.start()
        yield shop


@pytest.fixture
def published(kafka):
    with Shop(kafka, listen="published") as shop:
        shop.start()
        yield shop


def processes(shop: Shop) -> list[Process]:
    return [Process.of(pid) for pid in shop.status()["process"] if pid]


def said(shop: Shop, name: str) -> str:
    return str(shop.status().set_index("service").loc[name, "said"])


def test_every_service_gets_every_event_and_keeps_a_view_of_its_own(internal):
    written = internal.sell(CARTS)
    internal.wait()
    assert len(internal.events()) == written
    assert internal.handled() == 3 * written
    audit = internal.audit()
    assert audit.count == 0
    assert audit.stopped == 0
    assert len(internal.view("orders")) == len(in_carts(internal.events())) > 0
    assert set(internal.lag().values()) == {0}


def test_a_killed_service_catches_up_while_the_others_never_stop(internal):
    internal.sell(CARTS)
    internal.wait()
    before = internal.status().set_index("service")["process"]
    with internal.watch() as seen:
        internal.kill("stock")
        written = internal.sell(CARTS)
        internal.wait()  # those that run
        audit = internal.audit()
        assert (audit["stock"].state, audit["stock"].lag) == ("dead", written)
        assert audit["orders"].missing == audit["orders"].wrong == []
        internal.start("stock")
        internal.wait()
    assert internal.audit().count == 0
    after = internal.status().set_index("service")["process"]
    assert [name for name in before.index if before[name] != after[name]] == ["stock"]
    assert seen.most("stock") == written
    assert seen.looks[-1][1] == {"orders": 0, "stock": 0, "recommendations": 0}
    assert "stock killed" in seen.picture().alt


def test_killed_again_and_again_in_the_middle_of_its_work_it_misses_and_repeats_nothing(internal):
    for _ in range(3):
        internal.sell(4 * CARTS)
        internal.kill("stock")
        internal.kill("recommendations")
        internal.start("stock", "recommendations")
    internal.wait()
    assert internal.audit().count == 0


def test_a_renamed_and_a_split_internal_event_stop_one_service_and_make_the_others_wrong(internal):
    internal.sell(CARTS)
    internal.wait()
    known = len(internal.view("orders"))
    internal.release()
    internal.sell(CARTS)
    internal.wait()
    assert "orders: stopped before cart-" in said(internal, "orders")
    assert "no handler for 'LineAdded'" in said(internal, "orders")
    friday = internal.audit()
    assert friday.stopped == 1
    assert friday["orders"].state == "dead"
    assert friday["orders"].lag > 0
    assert friday["orders"].wrong == [], "who stops says nothing wrong"
    assert len(friday["orders"].truth) - len(friday["orders"].missing) == known
    for silent in ("stock", "recommendations"):
        assert (friday[silent].state, friday[silent].lag) == ("running", 0), "no monitor sees it"
        assert friday[silent].wrong or friday[silent].missing
    # Who stopped goes on where it stood; who skipped has passed the events, so a new program does not help.
    for name in ("orders", "stock", "recommendations"):
        internal.deploy(name)
    internal.wait()
    monday = internal.audit()
    assert monday["orders"].missing == monday["orders"].wrong == []
    assert monday["stock"].wrong == friday["stock"].wrong
    for name in ("stock", "recommendations"):
        internal.rebuild(name)
    internal.wait()
    assert internal.audit().count == 0


def test_published_events_keep_the_release_inside(published):
    published.sell(CARTS)
    published.release()
    published.sell(CARTS)
    published.wait()
    audit = published.audit()
    assert audit.count == 0
    assert audit.stopped == 0
    orders = published.orders()
    assert {event.type for event in orders} == {"OrderPlaced"}
    assert {contract.decode(event.data).order for event in orders} == {key for (key,) in audit["orders"].truth}
    assert published.handled() == 3 * len(orders)
    assert {"LineAdded", "QuantityRaised"} <= {event.type for event in published.events()}


def test_a_forgotten_translator_stops_at_home_and_nothing_wrong_is_published(published):
    published.sell(CARTS)
    published.wait()
    published.release(translator=False)
    published.sell(CARTS)
    published.wait()
    assert "no handler for 'LineAdded'" in said(published, "translator")
    audit = published.audit()
    assert audit.stopped == 0
    assert audit["orders"].missing
    assert published.audit(against="published").correct == 3, "they are late, and right about all that they were told"
    published.deploy("translator")
    published.wait()
    assert published.audit().count == 0


def test_a_translator_that_is_killed_again_and_again_publishes_every_order(published):
    for _ in range(3):
        published.sell(2 * CARTS)
        published.kill("translator")
        published.start("translator")
    published.wait()
    assert published.audit().count == 0


def test_a_record_that_is_no_event_stops_a_service_with_its_place(kafka, internal):
    internal.sell(1)
    internal.wait()
    writer = topic.Writer(kafka, internal.carts)
    writer.send(topic.Event("cart-0", "CheckedOut", b"{}"))
    writer.flush()
    writer.close()
    internal.wait()
    assert re.search(r"stopped before cart-0, partition \d, offset \d+: KeyError", said(internal, "orders"))
    assert internal.status().set_index("service").loc["orders", "state"] == "dead"


def test_nothing_is_left_of_a_closed_shop(kafka):
    shop = Shop(kafka, listen="published")
    shop.start()
    running = processes(shop)
    assert len(running) == 4
    shop.close()
    assert not any(process.alive for process in running)
    with pytest.raises(Exception, match="unable to open database file"):
        shop.view("orders")


def test_a_service_that_does_not_exist_is_named(internal):
    with pytest.raises(ValueError, match="no service 'billing'; there are: orders, stock, recommendations"):
        internal.start("billing")
