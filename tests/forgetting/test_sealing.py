"""Sealed at rest and readable with the key; without it a placeholder, and everybody else's data as before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from eventlab.domain import account
from eventlab.domain.account import AccountOpened, CardAuthorised, Deposited, TransferSent
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.forgetting import (
    FORGOTTEN,
    Forgotten,
    KeyStore,
    Personal,
    Sealer,
    SubjectForgotten,
    by_field,
    by_metadata,
    by_stream,
    forget,
)
from eventlab.forgetting.catalogue import personal
from eventlab.store import Append, EventStore, KafkaEventLog, MemoryEventStore, SqlEventStore, execute, state

from .bank import ANA, BEN, KEK, ON, REGISTRY, STORIES, deposited, eur, opened, sent

# They cannot stand in ids or ciphertext by chance.
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")).map("Señor {}".format)
SUBJECTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8)


@pytest.fixture(params=["memory", "sqlite", "postgres", "kafka"])
def store(request: pytest.FixtureRequest, keys: KeyStore) -> Iterator[EventStore]:
    """Each store in turn, empty, with keys."""
    sealer = Sealer(keys, personal)
    store: EventStore
    match request.param:
        case "memory":
            store = MemoryEventStore(REGISTRY, sealing=sealer)
        case "kafka":
            kafka = request.getfixturevalue("kafka")
            store = KafkaEventLog(kafka, kafka.topic("bank"), REGISTRY, sealing=sealer)
        case database:
            store = SqlEventStore(request.getfixturevalue(f"{database}_url"), REGISTRY, sealing=sealer)
    for stream, events in STORIES.items():
        store.append(stream, events)
    yield store
    store.close()


def test_whoever_has_the_keys_reads_what_was_written(store: EventStore) -> None:
    for stream, events in STORIES.items():
        assert [each.event for each in store.read(stream)] == [new.event for new in events]
        assert store.load(stream)[0] == [new.event for new in events]


def test_the_forgotten_read_as_a_placeholder_and_the_money_adds_up(store: EventStore, keys: KeyStore) -> None:
    balances = {stream: state(store, account.decider, stream).balance for stream in STORIES}

    forget(store, keys, ANA.key, "letter of 4 March")

    ana, ben = store.load(ANA)[0], [each.event for each in store.read(BEN)]
    assert {stream: state(store, account.decider, stream).balance for stream in STORIES} == balances
    assert [ana[0].owner, ana[1].text, ana[2].to, ana[2].text] == [FORGOTTEN, FORGOTTEN, "Ben Böttcher", FORGOTTEN]  # type: ignore[attr-defined]
    assert isinstance(ana[0].owner, Forgotten)  # type: ignore[attr-defined]
    assert [ben[0].owner, ben[1].sender, ben[1].text] == ["Ben Böttcher", FORGOTTEN, "sofa, thanks"]  # type: ignore[attr-defined]


def test_without_keys_a_store_reads_the_rest_and_no_name(keys: KeyStore, sqlite_url: str) -> None:
    SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(keys, personal)).append(ANA, STORIES[ANA])
    keyless = SqlEventStore(sqlite_url, REGISTRY)

    assert account.decider.fold(keyless.load(ANA)[0]).balance == eur("70.00")
    assert all(word not in str(list(keyless.read_all())) for word in ("Ana", "Ben", "salary", "sofa"))


def test_what_was_stored_in_clear_before_stays_readable(keys: KeyStore, sqlite_url: str) -> None:
    SqlEventStore(sqlite_url, REGISTRY).append(ANA, STORIES[ANA])
    sealing = SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(keys, personal))
    sealing.append(ANA, [deposited("1.00", "bonus")])

    assert [each.text for each in sealing.load(ANA)[0][1:]] == ["salary", "for the sofa", "bonus"]  # type: ignore[attr-defined]


def test_views_within_the_append_see_what_was_appended(keys: KeyStore, sqlite_url: str) -> None:
    seen: list[Recorded] = []
    store = SqlEventStore(
        sqlite_url, REGISTRY, inline=[lambda _, recorded: seen.extend(recorded)], sealing=Sealer(keys, personal)
    )
    store.append(ANA, STORIES[ANA])

    assert [each.event for each in seen] == [new.event for new in STORIES[ANA]]


def test_held_money_adds_up_when_the_shops_are_forgotten(keys: KeyStore) -> None:
    store = MemoryEventStore(REGISTRY, sealing=Sealer(keys, personal))
    holds = [CardAuthorised(eur("20.00"), "book shop", ON), CardAuthorised(eur("5.00"), "bakery", ON)]
    store.append(ANA, [opened("Ana"), deposited("100.00"), *map(NewEvent, holds)])
    available = state(store, account.decider, ANA).available
    forget(store, keys, ANA.key, "letter")
    store.append(ANA, [deposited("1.00")])

    assert state(store, account.decider, ANA).available == available + eur("1.00") == eur("76.00")


def test_a_command_says_in_its_metadata_who_the_other_side_is(keys: KeyStore) -> None:
    store = MemoryEventStore(REGISTRY, sealing=Sealer(keys, personal))
    store.append(ANA, [opened("Ana"), deposited("100.00")])
    command = account.SendTransfer(eur("30.00"), ON, "Ben Böttcher")
    (recorded,) = execute(store, account.decider, ANA, command, metadata={"counterparty": BEN.key})

    assert isinstance(recorded.event, TransferSent)
    assert recorded.event.to == "Ben Böttcher"
    assert keys.knows(BEN.key)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=4), forgotten=SUBJECTS, kept=SUBJECTS)
def test_shredded_means_unreadable_and_the_others_data_is_as_before(
    texts: list[tuple[str, str]], forgotten: str, kept: str, tmp_path: Path
) -> None:
    forgotten, kept = f"f{forgotten}", f"k{kept}"
    directory = tmp_path / uuid4().hex
    directory.mkdir()
    keys = KeyStore(f"sqlite:///{directory / 'keys.db'}", {1: KEK})
    whose: dict[type, Any] = {TransferSent: {"to": by_metadata("counterparty"), "text": by_stream}}
    table = Personal({**{entry.cls: {} for entry in REGISTRY}, **whose})
    store = SqlEventStore(f"sqlite:///{directory / 'events.db'}", REGISTRY, sealing=Sealer(keys, table))
    stream = StreamId("account", forgotten)
    store.append(stream, [sent("1.00", theirs, mine, kept) for mine, theirs in texts])
    forget(store, keys, forgotten, "letter")
    keys.close()

    events = store.load(stream)[0]
    assert [(each.text, each.to) for each in events] == [(FORGOTTEN, theirs) for _, theirs in texts]  # type: ignore[attr-defined]
    restarted = KeyStore(f"sqlite:///{directory / 'keys.db'}", {1: KEK})
    assert restarted.to_open(forgotten, 1) is None
    for path in directory.iterdir():
        assert not any(text.encode() in path.read_bytes() for pair in texts for text in pair), path


class Invited(Struct, frozen=True):
    """An event of two people."""

    host_id: str
    host: str
    guest_id: str
    guest: str | None


def test_two_subjects_in_one_event_by_their_ids_in_its_fields(keys: KeyStore) -> None:
    table = Personal({Invited: {"host": by_field("host_id"), "guest": by_field("guest_id")}})
    store = MemoryEventStore(TypeRegistry([Invited, SubjectForgotten]), sealing=Sealer(keys, table))
    party = StreamId("party", "1")
    store.append(party, [NewEvent(Invited("7", "Ana", "8", "Ben")), NewEvent(Invited("7", "Ana", "", None))])
    forget(store, keys, "8", "mail")

    assert store.load(party)[0] == [Invited("7", "Ana", "8", FORGOTTEN), Invited("7", "Ana", "", None)]


def test_equal_texts_are_sealed_differently(keys: KeyStore) -> None:
    sealer = Sealer(keys, personal)
    events = sealer.seal(Append(ANA, [opened("Ana Almeida"), opened("Ana Almeida")])).events

    assert events[0].event.owner != events[1].event.owner  # type: ignore[attr-defined]


def test_a_placeholder_reads_as_words_in_a_database(sql_url: str) -> None:
    engine = sqlalchemy.create_engine(sql_url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.select(sqlalchemy.literal(FORGOTTEN))).scalar() == "(forgotten)"
    engine.dispose()


def test_a_table_names_fields_that_are_there_and_are_text() -> None:
    with pytest.raises(ValueError, match=r"AccountOpened has no field 'name'; it has: owner"):
        Personal({AccountOpened: {"name": by_stream}})
    with pytest.raises(ValueError, match=r"Deposited.amount is .*only text can be sealed"):
        Personal({Deposited: {"amount": by_stream}})
