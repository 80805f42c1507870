"""What cannot be sealed is not stored, what cannot be opened is not guessed; each with an error that says where."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from eventlab.domain.account import AccountOpened, Deposited
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.errors import UnknownEventType
from eventlab.events.registry import TypeRegistry
from eventlab.forgetting import (
    FORGOTTEN,
    KeyStore,
    MissingKey,
    NotDeclared,
    Personal,
    Sealer,
    SubjectIsForgotten,
    Tampered,
    Unsealable,
    WrongKey,
    enforce,
    forget,
    new_key,
)
from eventlab.forgetting.catalogue import personal
from eventlab.store import Append, EventStore, MemoryEventStore, SqlEventStore, Unavailable

from .bank import ANA, BEN, KEK, ON, REGISTRY, STORIES, deposited, eur, opened, sent


@pytest.fixture
def store(keys: KeyStore, sqlite_url: str) -> SqlEventStore:
    return SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(keys, personal))


def nothing_stored(store: EventStore) -> bool:
    return store.head() == 0


class Noted(Struct, frozen=True):
    """An event that nobody has put into the table."""

    note: str


def test_an_event_nobody_thought_of_is_not_stored_in_clear(keys: KeyStore) -> None:
    store = MemoryEventStore(TypeRegistry([Noted]), sealing=Sealer(keys, personal))
    with pytest.raises(NotDeclared, match=r"account-1001: nobody has said which fields of Noted are personal"):
        store.append(ANA, [NewEvent(Noted("Ana's secret"))])
    assert nothing_stored(store)


@pytest.mark.parametrize(
    ("new", "error", "words"),
    [
        (
            sent("1.00", "Ben", counterparty=""),
            Unsealable,
            "TransferSent.to: it is personal, .* not say whose",
        ),
        (opened("sealed/1:x"), Unsealable, "AccountOpened.owner: it begins with 'sealed/1:'"),
        (opened("Ana \ud800"), Unsealable, "AccountOpened.owner: it cannot be stored .*surrogates"),
        (opened(5), Unsealable, "AccountOpened.owner: it is personal and has to be text, not int"),  # type: ignore[arg-type]
        (opened(FORGOTTEN), SubjectIsForgotten, "AccountOpened.owner: it is forgotten, so it cannot be stored again"),
    ],
    ids=["whose", "prefix", "surrogate", "number", "forgotten"],
)
def test_what_cannot_be_sealed_is_refused_with_all_of_its_append(
    store: SqlEventStore, new: NewEvent, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        store.append_all([Append(BEN, [deposited("1.00", "good")]), Append(ANA, [new])])
    assert nothing_stored(store)


def test_nothing_personal_of_the_forgotten_is_stored_again(store: SqlEventStore, keys: KeyStore) -> None:
    store.append(ANA, STORIES[ANA])
    forget(store, keys, ANA.key, "letter")
    last = store.head()

    with pytest.raises(SubjectIsForgotten, match=r"account-1001: Deposited.text: .*'1001' has been forgotten"):
        store.append(ANA, [deposited("1.00", "a bonus for Ana")])
    with pytest.raises(SubjectIsForgotten, match="gets no new key"):
        keys.renew(ANA.key)
    assert store.head() == last
    store.append(ANA, [deposited("1.00")])  # money without words is not personal
    assert store.head() == last + 1


def test_another_key_store_says_that_the_key_is_missing(store: SqlEventStore, sqlite_url: str, tmp_path: Path) -> None:
    store.append(ANA, STORIES[ANA])
    other = KeyStore(f"sqlite:///{tmp_path / 'other.db'}", {1: KEK})
    reader = SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(other, personal))

    with pytest.raises(MissingKey, match=r"account-1001 version 1 .*other\.db has no key 1 of the subject '1001'"):
        reader.load(ANA)
    with pytest.raises(MissingKey):
        list(reader.read_all())


@pytest.mark.parametrize(
    ("keks", "words"),
    [({1: new_key()}, "the key-encryption key 1 is not the one"), ({2: KEK}, "key-encryption key 1; given was only 2")],
)
def test_another_key_encryption_key_opens_nothing(
    store: SqlEventStore, sqlite_url: str, tmp_path: Path, keks: dict[int, bytes], words: str
) -> None:
    store.append(ANA, STORIES[ANA])
    locked = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", keks)
    reader = SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(locked, personal))

    with pytest.raises(WrongKey, match=words):
        reader.load(ANA)
    with pytest.raises(WrongKey, match=words):
        reader.append(ANA, [deposited("1.00", "bonus")])


def _stored(url: str) -> tuple[sqlalchemy.Engine, list[str]]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        return engine, list(connection.scalars(sqlalchemy.text("SELECT data FROM events ORDER BY position")))


@pytest.mark.parametrize("what", ["flipped", "cut", "no longer sealed text", "of another subject"])
def test_what_was_tampered_with_is_not_read(store: SqlEventStore, keys: KeyStore, sqlite_url: str, what: str) -> None:
    keys.to_seal(BEN.key)
    store.append(ANA, STORIES[ANA][:1])
    engine, (data,) = _stored(sqlite_url)
    owner = data.split('"')[3]
    at = owner.rindex(":") + 20
    changed = {
        "flipped": owner[:at] + ("A" if owner[at] != "A" else "B") + owner[at + 1 :],
        "cut": owner[: at - 8],
        "no longer sealed text": "sealed/1:rubbish",
        "of another subject": owner.replace(":1001:", ":1002:"),
    }[what]
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE events SET data = :data"), {"data": data.replace(owner, changed)})

    with pytest.raises(Tampered, match=r"account-1001 version 1 \(position 1\): AccountOpened.owner"):
        store.load(ANA)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_text_never_opens_as_another(keys: KeyStore, data: st.DataObject) -> None:
    sealer = Sealer(keys, personal)
    new = opened("Ana Almeida")
    owner = sealer.seal(Append(ANA, [new])).events[0].event.owner  # type: ignore[attr-defined]
    at = data.draw(st.integers(len("sealed/1:"), len(owner) - 1))
    letter = data.draw(st.sampled_from("AZaz09+/=:%1 ü"))
    changed = owner[:at] + letter + data.draw(st.sampled_from([owner[at + 1 :], owner[at:], ""]))

    event = AccountOpened(changed, "EUR", Money(0, "EUR"), ON)
    try:
        sealer.open(event, new.id)
    except (Tampered, MissingKey):
        return
    assert event.owner == "Ana Almeida"  # unchanged, or spelled otherwise: base64 and numbers can be


def test_a_sealed_text_does_not_open_in_another_event(store: SqlEventStore, sqlite_url: str) -> None:
    store.append(ANA, [opened("Ana Almeida"), opened("Anna Almeida")])
    engine, (first, second) = _stored(sqlite_url)
    with engine.begin() as connection:
        change = sqlalchemy.text("UPDATE events SET data = :data WHERE data = :old")
        connection.execute(change, {"data": first, "old": second})

    with pytest.raises(Tampered, match=r"account-1001 version 2 .*this event: it was changed, or comes from another"):
        store.load(ANA)


def test_without_its_key_store_nothing_personal_is_appended(
    store: SqlEventStore, keys: KeyStore, tmp_path: Path
) -> None:
    store.append(BEN, STORIES[BEN])
    keys.close()
    shutil.rmtree(tmp_path / "keys.db", ignore_errors=True)
    (tmp_path / "keys.db").write_bytes(b"what a crash left of it" * 100)
    last = store.head()

    with pytest.raises(Unavailable, match=r"the key store sqlite:///.*keys\.db: the file is not an SQLite database"):
        store.append(ANA, STORIES[ANA])
    assert store.head() == last
    with pytest.raises(Unavailable, match="the key store"):
        store.load(BEN)


def test_an_erasure_without_its_key_store_says_what_is_left_to_do(
    keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryEventStore(REGISTRY, sealing=Sealer(keys, personal))
    store.append(ANA, STORIES[ANA])
    locked = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'keys.db'}").connect()
    monkeypatch.setattr("eventlab.store.tables.PATIENCE_SECONDS", 0)  # how long SQLite waits for another writer
    impatient = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", {1: KEK})
    locked.exec_driver_sql("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match=r"the erasure of '1001' is recorded, but its keys are still there: .*again"):
        forget(store, impatient, ANA.key, "letter")
    locked.close()
    forget(store, impatient, ANA.key, "letter")

    assert [str(each.event) for each in store.read(StreamId("subject", "1001"))] == ["forgot the subject 1001: letter"]
    assert store.load(ANA)[0][0] == AccountOpened(FORGOTTEN, "EUR", Money(0, "EUR"), ON)
    assert Deposited(eur("100.00"), ON, FORGOTTEN) in store.load(ANA)[0]


def test_a_store_that_cannot_record_an_erasure_says_how_it_could(keys: KeyStore, sqlite_url: str) -> None:
    store = SqlEventStore(sqlite_url, sealing=Sealer(keys, personal))
    store.append(ANA, STORIES[ANA])
    cure = r"no key was destroyed; open the store with TypeRegistry\(\[\*EVENTS, SubjectForgotten\]\)"
    with pytest.raises(UnknownEventType, match=cure):
        forget(store, keys, ANA.key, "letter")
    with pytest.raises(UnknownEventType, match=cure):
        enforce(store, keys)
    keys.close()  # forgets what it holds in memory
    assert store.load(ANA)[0] == [new.event for new in STORIES[ANA]]


def test_a_mistyped_id_forgets_nobody(store: SqlEventStore, keys: KeyStore) -> None:
    store.append(ANA, STORIES[ANA])
    with pytest.raises(ValueError, match="nothing was ever sealed for the subject '1010'; check the id"):
        forget(store, keys, "1010", "letter")
    assert store.load(ANA)[0] == [new.event for new in STORIES[ANA]]


def test_a_table_may_leave_everything_readable(keys: KeyStore) -> None:
    table = Personal({Deposited: {}})
    store = MemoryEventStore(REGISTRY, sealing=Sealer(keys, table))
    store.append(ANA, [deposited("1.00", "salary")])
    assert not keys.knows(ANA.key)
