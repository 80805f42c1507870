"""Avro with a real schema registry: many types in one topic, old and new schemas, and bad changes that are refused."""

import json
import uuid
from contextlib import suppress
from datetime import date

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct, defstruct
from tests.store.waiting import eventually

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.events.avro import avro_schema
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.errors import UnknownEventType, Unreadable, Unwritable
from eventlab.events.registered import RegisteredAvro, RegistryUnavailable, SchemaRefused
from eventlab.events.registry import TypeRegistry

from .test_catalogue import VALUES

EUR = Money.of("49.90", "EUR")
STORY = [
    cart.CartCreated("Ana", "EUR"),
    cart.ItemAdded("trousers", 3, EUR),
    account.Deposited(EUR, date(2026, 3, 3), value_date=date(2026, 3, 5)),
    account.Deposited(EUR, date(1066, 10, 14)),
    cart.CheckedOut(EUR),
]
# What Avro's long holds.
VALUES = {**VALUES, int: st.integers(-(2**63), 2**63 - 1)}
VALUES[Money] = st.builds(Money, VALUES[int], st.sampled_from(["EUR", "JPY"]))


def topic() -> str:
    return f"shop-{uuid.uuid4().hex[:8]}"


def removed(*more, **registered) -> tuple[type, TypeRegistry]:
    """ItemRemoved with other fields, in a program that is older or newer."""
    cls = defstruct("ItemRemoved", [("product", str), ("quantity", int), *more], frozen=True)
    registry = TypeRegistry()
    registry.register(cls, "ItemRemoved", **registered)
    return cls, registry


@pytest.fixture(params=[False, True], ids=["subject per type", "union"])
def union(request) -> bool:
    return request.param


@pytest.fixture(scope="module")
def of_all(schema_registry):
    made = {}
    for union in (False, True):
        made[union] = RegisteredAvro(catalogue, schema_registry, topic(), union=union)
        made[union].register("BACKWARD")
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_event_reads_back_equal(of_all, union, data):
    cls = data.draw(st.sampled_from([entry.cls for entry in catalogue]))
    event = data.draw(st.builds(cls, **{name: VALUES[kind] for name, kind in cls.__annotations__.items()}))
    assert of_all[union].decode(of_all[union].encode(event)) == event


def test_many_types_go_through_one_topic_of_a_real_broker(kafka, schema_registry, union):
    name = kafka.topic("shop")
    avro = RegisteredAvro(catalogue, schema_registry, name, union=union)
    avro.register()
    producer = Producer(kafka.config())
    for event in STORY:
        producer.produce(name, avro.encode(event), key=b"cart-1")
    producer.flush()
    consumer = Consumer(kafka.config(**{"group.id": name, "auto.offset.reset": "earliest"}))
    consumer.subscribe([name])
    values = [message.value() for message in consumer.consume(len(STORY), timeout=20)]
    consumer.close()
    assert [RegisteredAvro(catalogue, schema_registry, name, union=union).decode(value) for value in values] == STORY
    assert max(map(len, values)) < 40, "names of fields are in the registry, not in the records"


def test_each_type_has_a_subject_or_all_have_one(schema_registry, of_all):
    assert len(of_all[False].subjects()) == len(catalogue)
    assert len(of_all[True].subjects()) == 1
    there = SchemaRegistryClient({"url": schema_registry}).get_subjects()
    assert set(of_all[False].subjects()) | set(of_all[True].subjects()) <= set(there)


def test_a_field_with_a_default_may_come_and_old_and_new_read_each_other(schema_registry, union):
    name = topic()
    old_class, old = removed()
    new_class, new = removed(("why", str, "?"))
    before = RegisteredAvro(old, schema_registry, name, union=union)
    before.register()
    first = before.encode(old_class("socks", 2))
    after = RegisteredAvro(new, schema_registry, name, union=union)
    after.register()
    assert after.decode(first) == new_class("socks", 2, "?")
    assert before.decode(after.encode(new_class("socks", 1, "too small"))) == old_class("socks", 1)


BAD = {
    "a field without a default": [("why", str)],
    "another field without a default": [("shelf", int)],
}


@pytest.mark.parametrize("more", BAD.values(), ids=BAD)
def test_a_bad_change_is_refused_and_nothing_is_registered(schema_registry, more, union):
    name = topic()
    _, old = removed()
    RegisteredAvro(old, schema_registry, name, union=union).register()
    new_class, new = removed(*more)
    new.register(defstruct("CartRenamed", [("to", str)], frozen=True))
    after = RegisteredAvro(new, schema_registry, name, union=union)
    with pytest.raises(SchemaRefused, match=r"nothing was registered: .*Incompatible.*Give the new field a default"):
        after.register()
    client = SchemaRegistryClient({"url": schema_registry})
    mine = [subject for subject in client.get_subjects() if subject.startswith(name)]
    assert [client.get_versions(subject) for subject in mine] == [[1]]
    with pytest.raises(Unwritable, match="is not registered"):
        after.encode(new_class(*["socks", 1, *(2 if kind is int else "x" for _, kind, *_ in more)]))


def test_a_field_that_changes_its_type_is_refused(schema_registry):
    name = topic()
    RegisteredAvro(removed()[1], schema_registry, name).register()
    cls = defstruct("ItemRemoved", [("product", str), ("quantity", str)], frozen=True)
    with pytest.raises(SchemaRefused, match="LONG"):
        RegisteredAvro(TypeRegistry([cls]), schema_registry, name).register()


def test_the_registry_takes_anything_unless_it_is_told_not_to(schema_registry):
    """Apicurio's default, and the reason why register() names a compatibility."""
    client = SchemaRegistryClient({"url": schema_registry})
    subject = topic()
    for fields in ([{"name": "a", "type": "string"}], [{"name": "b", "type": "long"}]):
        client.register_schema(subject, Schema(json.dumps({"type": "record", "name": "A", "fields": fields}), "AVRO"))
    assert client.get_versions(subject) == [1, 2]


def test_a_union_takes_a_type_more_only_if_old_readers_do_not_matter(schema_registry):
    name = topic()
    old = RegisteredAvro(TypeRegistry([cart.CartCreated]), schema_registry, name, union=True)
    old.register()
    new = RegisteredAvro(TypeRegistry([cart.CartCreated, cart.CheckedOut]), schema_registry, name, union=True)
    with pytest.raises(SchemaRefused):
        new.register()
    new.register("BACKWARD_TRANSITIVE")
    checked_out = new.encode(cart.CheckedOut(EUR))
    assert new.decode(old.encode(STORY[0])) == STORY[0]
    with pytest.raises(Unreadable, match="a schema that this program's cannot read; use a newer program"):
        old.decode(checked_out)


def test_a_type_is_read_under_its_former_name(schema_registry):
    name = topic()
    cls, old = removed()
    before = RegisteredAvro(old, schema_registry, name)
    before.register()

    class ItemTakenOut(Struct, frozen=True):
        product: str
        quantity: int

    new = TypeRegistry()
    new.register(ItemTakenOut, formerly=["ItemRemoved"])
    assert avro_schema(new.of_class(ItemTakenOut))["aliases"] == ["eventlab.ItemRemoved"]
    assert RegisteredAvro(new, schema_registry, name).decode(before.encode(cls("socks", 2))) == ItemTakenOut("socks", 2)


def test_a_type_that_the_program_lacks_is_named(schema_registry):
    name = topic()
    both = RegisteredAvro(TypeRegistry(cart.EVENTS), schema_registry, name)
    both.register()
    one = RegisteredAvro(TypeRegistry([cart.CartCreated]), schema_registry, name)
    with pytest.raises(UnknownEventType, match="'CheckedOut'"):
        one.decode(both.encode(cart.CheckedOut(EUR)))
    with pytest.raises(UnknownEventType, match="CheckedOut is not registered"):
        one.encode(cart.CheckedOut(EUR))


@pytest.mark.parametrize(
    "event",
    [
        cart.ItemRemoved("socks", 2**63),
        cart.ItemRemoved("socks", "two"),  # type: ignore[arg-type]
        cart.ItemRemoved("\ud800", 2),
        cart.CheckedOut(None),  # type: ignore[arg-type]
    ],
)
def test_what_avro_cannot_hold_is_not_written(of_all, union, event):
    with pytest.raises(Unwritable, match=type(event).__name__):
        of_all[union].encode(event)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b'{"product": "socks"}', b"\0\x7f\xff\xff\xff\x00\x00"])
def test_what_no_registry_knows_is_not_guessed(of_all, data):
    with pytest.raises(Unreadable):
        of_all[False].decode(data)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40))
@example(b"\t\x80\x80\x80\x80\x10")  # a date beyond what a machine's integer holds
def test_corrupt_avro_raises_nothing_but_unreadable(of_all, union, rest):
    head = of_all[union].encode(STORY[1])[:5]
    with suppress(Unreadable):
        of_all[union].decode(head + rest)


def test_a_registry_that_is_down_gets_a_sentence():
    avro = RegisteredAvro(catalogue, "http://127.0.0.1:1/apis/ccompat/v7", "shop")
    for call in (avro.register, lambda: avro.encode(STORY[0]), lambda: avro.decode(b"\0\0\0\0\x01rest")):
        with pytest.raises(RegistryUnavailable, match=r"127\.0\.0\.1:1.* cannot be reached.*eventlab up --registry"):
            call()


def test_a_registry_that_dies_within_register_keeps_what_it_took_and_a_second_call_adds_the_rest(
    lab, schema_registry, monkeypatch
):
    name = topic()
    avro = RegisteredAvro(TypeRegistry([cart.CartCreated, cart.CheckedOut]), schema_registry, name)
    first, second = avro.subjects()
    go_on = avro._client.register_schema

    def dying(subject, schema):
        if subject == second:  # the first type is through, the second one has its rule and no schema yet
            psutil.Process(lab.status()["registry"]["pid"]).kill()
            eventually(lambda: lab.status()["registry"]["state"] == "dead")
        return go_on(subject, schema)

    monkeypatch.setattr(avro._client, "register_schema", dying)
    with pytest.raises(RegistryUnavailable, match=r"cannot be reached.*eventlab up --registry"):
        avro.register()
    monkeypatch.undo()
    lab.up(with_registry=True)
    assert lab.status()["registry"]["url"] == schema_registry, "producers remember the address"

    client = SchemaRegistryClient({"url": schema_registry})
    assert [subject for subject in client.get_subjects() if subject.startswith(name)] == [first]
    assert {client.get_compatibility(subject) for subject in (first, second)} == {"FULL_TRANSITIVE"}
    known = client.get_latest_version(first).schema_id
    ids = RegisteredAvro(TypeRegistry([cart.CartCreated, cart.CheckedOut]), schema_registry, name).register()
    assert ids == {first: known, second: client.get_latest_version(second).schema_id}
    assert avro.decode(avro.encode(STORY[-1])) == STORY[-1]


def test_what_is_no_registry_gets_a_sentence(schema_registry):
    avro = RegisteredAvro(catalogue, schema_registry.replace("ccompat/v7", "nothing"), "shop")
    with pytest.raises(RegistryUnavailable, match="answered"):
        avro.register()
