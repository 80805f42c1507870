"""The shop on a live broker: services that are real processes, killed, restarted, and met by a release of the cart."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka.admin import ConfigResource, ResourceType

from eventlab.cluster.processes import Process, wait_until_dead
from eventlab.services import contract, program, topic
from eventlab.services.audit import in_carts
from eventlab.services.process import Service
from eventlab.services.shop import Shop
from eventlab.services.teams import SERVICES

CARTS = 40
PATIENCE_SECONDS = 20
VICTIM = Path(__file__).with_name("victim.py")


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


def test_its_topics_keep_every_event(kafka, published):
    for name in (published.carts, published.published):
        resource = ConfigResource(ResourceType.TOPIC, name)
        found = kafka.admin.describe_configs([resource])[resource].result(PATIENCE_SECONDS)
        chosen = {setting: each.value for setting, each in found.items()}
        assert chosen.items() >= {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}.items()


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
        internal.wait()  # for the new view: the broker still remembers how far the old one was
        assert internal.audit()[name].correct
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
    assert list(published.reads().index) == ["OrderPlaced"], "this is all that the services know"
    assert all(0 < milliseconds < 1000 * PATIENCE_SECONDS for milliseconds in published.delays(3))
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


@pytest.mark.parametrize("point", ["_handle:33", "_published:1", "_apply:1"])
def test_services_killed_at_any_point_of_their_work_miss_and_repeat_nothing(kafka, monkeypatch, point):
    """Within a batch, before its commit, and after the commit, before the broker is told."""
    with Shop(kafka) as shop:
        shop.sell(CARTS)
        start_and_let_die(shop, SERVICES, point, monkeypatch)
        shop.start()
        shop.wait()
        assert shop.audit().correct == 3


@pytest.mark.parametrize("point", ["_handle:33", "_published:1", "_apply:1"])
def test_a_translator_killed_at_any_point_publishes_every_order_at_least_once(kafka, monkeypatch, point):
    with Shop(kafka, listen="published") as shop:
        shop.sell(CARTS)
        start_and_let_die(shop, ["translator"], point, monkeypatch)
        shop.start()
        shop.wait()
        assert shop.audit().correct == 3
        published = [event.key for event in shop.orders()]
        assert len(set(published)) == len(shop.view("orders"))
        if point == "_published:1":
            assert len(set(published)) < len(published), "it had published, and could not remember"


def start_and_let_die(shop: Shop, names: Iterable[str], point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("EVENTLAB_DIES", point)
        patch.setattr(program, "__file__", str(VICTIM))
        shop.start(*names)
    end = time.monotonic() + PATIENCE_SECONDS
    while (shop.status().set_index("service").loc[list(names), "state"] != "dead").any():
        assert time.monotonic() < end, "a victim lives on"
        time.sleep(0.01)


def test_one_that_was_thought_dead_and_wakes_up_beside_its_successor_changes_nothing(internal, tmp_path):
    stock = internal._services["stock"]
    process = Process.of(stock.pid)
    internal.sell(CARTS)
    internal.wait()
    process.send(signal.SIGSTOP)
    internal.sell(CARTS)
    successor = Service(stock.options, tmp_path / "successor.log")
    try:
        successor.start()
        successor.ready()
        while internal.lag()["stock"]:
            assert successor.state == "running", successor.said
        process.send(signal.SIGCONT)
        assert wait_until_dead([process], PATIENCE_SECONDS) == [], "the broker tells it that its place is taken"
        internal.sell(CARTS)
        while internal.lag()["stock"]:
            assert successor.state == "running", successor.said
        assert internal.audit()["stock"].correct
    finally:
        successor.kill()


HOLDER = """
from eventlab import cluster
from eventlab.services.process import Service
from eventlab.services.shop import Shop
shop = Shop(cluster.connect())
shop.start("stock", "orders")
print(*filter(None, shop.status()["process"]), flush=True)
input()
"""


def test_services_end_with_a_holder_that_is_killed(kafka):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        running = [Process.of(int(pid)) for pid in holder.stdout.readline().split()]
        assert len(running) == 2
        holder.kill()
    assert wait_until_dead(running, PATIENCE_SECONDS) == []


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
