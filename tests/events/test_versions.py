"""What happens to old events when their type changes: each version that was ever written is read as the newest."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from eventlab.domain.money import Money
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.errors import UnknownSchemaVersion, Unreadable, Unwritable
from eventlab.events.registry import TypeRegistry
from eventlab.store import MemoryEventStore, SqlEventStore

CART = StreamId("cart", "1")


class PutInV1(Struct, frozen=True):
    """As it was at the beginning: a price without a currency, in euros."""

    product: str
    price: str


class PutInV2(Struct, frozen=True):
    """The price became money, and pieces were counted."""

    product: str
    quantity: int
    price: Money


class Added(Struct, frozen=True):
    """The newest: another name, and the product is a list of words."""

    words: tuple[str, ...]
    quantity: int
    price: Money
    note: str = ""


def _to_money(fields):
    euros, cents = fields["price"].split(".")
    return {**fields, "quantity": 1, "price": {"minor": int(euros + cents), "currency": "EUR"}}


def _to_words(fields):
    fields["words"] = fields.pop("product").split(" ")
    return fields


def _from_money(fields):
    if fields["quantity"] != 1 or fields["price"]["currency"] != "EUR":
        raise ValueError("version 1 has one piece, and euros")
    minor = fields["price"]["minor"]
    return {"product": fields["product"], "price": f"{minor // 100}.{minor % 100:02}"}


def _from_words(fields):
    return {"product": " ".join(fields["words"]), "quantity": fields["quantity"], "price": fields["price"]}


UP = {1: _to_money, 2: _to_words}
DOWN = {3: _from_words, 2: _from_money}

NEWEST = TypeRegistry()
NEWEST.register(Added, "ItemAdded", 3, formerly=["ItemPutIn"], upcasters=UP, downcasters=DOWN)
CODEC = JsonCodec(NEWEST)


def _writer(cls: type, version: int) -> JsonCodec:
    """The program that wrote this version, under the name that the type had then."""
    registry = TypeRegistry()
    registry.register(cls, "ItemPutIn" if version < 3 else "ItemAdded", version)
    return JsonCodec(registry)


OLD = {1: _writer(PutInV1, 1), 2: _writer(PutInV2, 2), 3: _writer(Added, 3)}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
cents = st.integers(0, 10**9)
ever_written = {
    1: st.builds(PutInV1, texts, cents.map(lambda minor: f"{minor // 100}.{minor % 100:02}")),
    2: st.builds(PutInV2, texts, st.integers(), st.builds(Money, st.integers(), st.sampled_from(["EUR", "JPY"]))),
    3: st.builds(Added, st.lists(texts).map(tuple), st.integers(), st.builds(Money, cents, st.just("EUR")), texts),
}
versions = st.sampled_from([1, 2, 3]).flatmap(lambda number: st.tuples(st.just(number), ever_written[number]))


@settings(deadline=None)
@given(versions)
def test_every_version_that_was_ever_written_is_read_as_the_newest(written):
    version, event = written
    stored = OLD[version].encode(event)
    read = CODEC.decode(*stored)
    assert isinstance(read, Added)
    assert CODEC.decode_all([tuple(stored)]) == [read]
    # What is read and written again is in the newest version, and stays what it is.
    again = CODEC.encode(read)
    assert (again.type, again.schema_version) == ("ItemAdded", 3)
    assert CODEC.decode(*again) == read


@settings(deadline=None)
@given(versions)
def test_a_round_trip_up_and_down_keeps_all_that_the_old_version_has(written):
    version, event = written
    stored = OLD[version].encode(event)
    down = CODEC.downcast(CODEC.decode(*stored), version)
    assert down.type == "ItemAdded", "downcast is for readers of older versions, under today's name"
    assert json.loads(down.data) == json.loads(stored.data)


@settings(deadline=None)
@given(ever_written[3])
def test_a_round_trip_down_and_up_loses_only_what_the_old_version_lacks(event):
    down = CODEC.downcast(event, 2)
    assert PutInV2(" ".join(event.words), event.quantity, event.price) == OLD[2].decode("ItemPutIn", 2, down.data)
    read = CODEC.decode(*down)
    assert (read.quantity, read.price, read.note) == (event.quantity, event.price, "")
    assert " ".join(read.words) == " ".join(event.words)


def test_an_event_that_the_old_version_cannot_say_is_not_downcast():
    with pytest.raises(Unwritable, match=r"ItemAdded cannot be brought from schema version 2 to 1.*one piece"):
        CODEC.downcast(Added(("socks",), 3, Money(1240, "EUR")), 1)


def test_what_a_downcaster_makes_has_to_be_readable_again():
    registry = TypeRegistry()
    registry.register(Added, "ItemAdded", 3, upcasters={2: _to_words}, downcasters={3: lambda fields: {}})
    with pytest.raises(Unwritable, match=r"from schema version 2 to 3: KeyError\('product'\)"):
        JsonCodec(registry).downcast(Added(("socks",), 3, Money(1240, "EUR")), 2)


def test_there_is_no_way_down_without_downcasters():
    with pytest.raises(UnknownSchemaVersion, match="no downcaster leads from there to version 0"):
        CODEC.downcast(Added((), 1, Money(1, "EUR")), 0)
    with pytest.raises(UnknownSchemaVersion, match="no downcaster leads from there to version 4"):
        CODEC.downcast(Added((), 1, Money(1, "EUR")), 4)


def test_a_version_without_a_way_is_refused_with_the_cure():
    registry = TypeRegistry()
    registry.register(Added, "ItemAdded", 3, upcasters={2: _to_words})
    with pytest.raises(UnknownSchemaVersion, match=r"version 1, but .* reads 2 and 3; register an upcaster from .* 1"):
        JsonCodec(registry).decode("ItemAdded", 1, b"{}")
    with pytest.raises(UnknownSchemaVersion, match=r"version 4, but .* reads 2 and 3; a newer program wrote it"):
        JsonCodec(registry).decode("ItemAdded", 4, b"{}")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"product": "socks"}', r"ItemAdded cannot be brought from schema version 1 to 2: KeyError\('price'\)"),
        (b'{"product": "socks", "price": "free"}', "from schema version 1 to 2: ValueError"),
        (b'{"product": 5, "price": "4.99"}', "from schema version 2 to 3: AttributeError"),
        (b"[]", "Expected `object`"),
        (b'{"product": "socks", "pri', "truncated"),
        (b'{"product": "socks", "price": "4.99", "note": 5}', r"\$\.note"),
        (b'{"product": ' + 10_000 * b"[", "recursion"),
    ],
)
def test_old_data_that_is_corrupt_says_what_and_where(data, told):
    with pytest.raises(Unreadable, match=told):
        CODEC.decode("ItemPutIn", 1, data)


@settings(deadline=None)
@given(
    st.binary() | st.recursive(st.none() | texts | st.floats(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_of_an_old_version_raise_anything_but_unreadable(data):
    with suppress(Unreadable):
        CODEC.decode("ItemPutIn", 1, data)


@pytest.mark.parametrize(
    ("upcasters", "downcasters"),
    [
        ({1: _to_money}, {}),
        ({3: _to_words}, {}),
        ({0: _to_money, 1: _to_money, 2: _to_words}, {}),
        ({}, {2: _from_money}),
    ],
)
def test_a_chain_with_a_gap_is_refused_when_it_is_registered(upcasters, downcasters):
    with pytest.raises(ValueError, match=r"ItemAdded: the (up|down)casters start at the versions"):
        TypeRegistry().register(Added, "ItemAdded", 3, upcasters=upcasters, downcasters=downcasters)


def test_a_former_name_belongs_to_one_class():
    registry = TypeRegistry([PutInV1])
    with pytest.raises(ValueError, match="a name has one class"):
        registry.register(Added, "ItemAdded", formerly=["PutInV1"])
    registry.register(Added, "ItemAdded", formerly=["ItemPutIn"])
    with pytest.raises(ValueError, match="ItemPutIn"):
        registry.register(PutInV2, "ItemPutIn")
    assert [entry.name for entry in registry] == ["PutInV1", "ItemAdded"]
    assert len(registry) == 2


def test_a_cell_that_is_run_again_may_change_former_names_and_steps():
    registry = TypeRegistry()
    registry.register(Added, "ItemAdded", formerly=["ItemPutIn"])
    registry.register(Added, "ItemAdded", 2, upcasters={1: _to_words})
    with pytest.raises(Exception, match="ItemPutIn"):
        registry.of_name("ItemPutIn")
    registry.register(PutInV1, "ItemPutIn")


@pytest.fixture(params=["memory", "sqlite"])
def stores(request, tmp_path):
    """The store of the old program and that of the new one, on the same events."""
    old, between = TypeRegistry(), TypeRegistry()
    old.register(PutInV1, "ItemPutIn", 1)
    between.register(PutInV2, "ItemPutIn", 2)
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        made = [SqlEventStore(url, registry) for registry in (old, between, NEWEST)]
        yield made
        for store in made:
            store.close()
    else:
        store = MemoryEventStore(old)
        others = []
        for registry in (between, NEWEST):
            other = MemoryEventStore(registry)
            other.__dict__.update({**store.__dict__, "_codec": JsonCodec(registry)})
            others.append(other)
        yield [store, *others]


def test_a_store_with_events_of_all_ages_is_read_as_one(stores):
    first, second, newest = stores
    first.append(CART, [NewEvent(PutInV1("blue socks", "4.99"))])
    second.append(CART, [NewEvent(PutInV2("trousers", 2, Money(4990, "JPY")))])
    newest.append(CART, [NewEvent(Added(("hat",), 1, Money(1000, "EUR"), "gift"))])
    expected = [
        Added(("blue", "socks"), 1, Money(499, "EUR")),
        Added(("trousers",), 2, Money(4990, "JPY")),
        Added(("hat",), 1, Money(1000, "EUR"), "gift"),
    ]
    assert newest.load(CART)[0] == expected
    read = list(newest.read_all())
    assert [each.event for each in read] == expected
    assert [(each.type, each.schema_version) for each in read] == [("ItemPutIn", 1), ("ItemPutIn", 2), ("ItemAdded", 3)]
    assert list(newest.read_all(types=[Added])) == read, "asked for by class, old names are found too"


def test_an_old_event_that_cannot_be_brought_up_is_named_with_its_place(stores):
    first, _, newest = stores
    first.append(CART, [NewEvent(PutInV1("socks", "4.99")), NewEvent(PutInV1("socks", "free"))])
    with pytest.raises(Unreadable, match=r"cart-1 version 2 \(position 2\): .*from schema version 1 to 2"):
        newest.load(CART)
