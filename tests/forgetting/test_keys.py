"""Keys are renewed, wrapped anew and destroyed; none comes back, and what stays opens what it sealed."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventlab.forgetting import KeyStore, MissingKey, Sealer, SubjectIsForgotten, WrongKey, enforce, forget, new_key
from eventlab.forgetting.catalogue import personal
from eventlab.store import MemoryEventStore, SqlEventStore, Unavailable

from .bank import ANA, BEN, KEK, REGISTRY, STORIES, deposited

TEXT = b"Ana Almeida"
NONCE = bytes(12)


def wrapped(url: str) -> list[bytes]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(sqlalchemy.text("SELECT wrapped FROM data_keys WHERE wrapped IS NOT NULL")))
    engine.dispose()
    return found


@pytest.mark.parametrize("hold", [0, 60])
def test_a_key_is_made_once_and_opens_what_it_sealed(sql_url: str, hold: float) -> None:
    keys = KeyStore(sql_url, {1: KEK}, hold)
    version, key = keys.to_seal("1001")
    again = KeyStore(sql_url, {1: KEK}, hold).to_open("1001", version)

    assert (version, keys.to_seal("1001")[0]) == (1, 1)
    assert again is not None
    assert again.decrypt(NONCE, key.encrypt(NONCE, TEXT, None), None) == TEXT
    keys.close()


def test_many_programs_at_once_make_one_key(sql_url: str) -> None:
    stores = [KeyStore(sql_url, {1: KEK}, hold_seconds=0) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda keys: keys.to_seal("1001")[1].encrypt(NONCE, TEXT, None), stores))
    assert len(set(made)) == 1
    assert len(wrapped(sql_url)) == 1
    for keys in stores:
        keys.close()


def test_a_renewed_key_is_for_what_comes(keys: KeyStore) -> None:
    store = MemoryEventStore(REGISTRY, sealing=Sealer(keys, personal))
    store.append(ANA, STORIES[ANA][:1])
    first = keys.to_seal(ANA.key)[1].encrypt(NONCE, TEXT, None)

    assert keys.renew(ANA.key) == 2
    store.append(ANA, STORIES[ANA][1:])

    assert keys.to_seal(ANA.key)[1].encrypt(NONCE, TEXT, None) != first
    assert store.load(ANA)[0] == [new.event for new in STORIES[ANA]]
    forget(store, keys, ANA.key, "letter")
    assert [keys.to_open(ANA.key, version) for version in (1, 2)] == [None, None]


def test_wrapped_anew_the_old_key_encryption_key_is_needed_no_more(sql_url: str) -> None:
    new = new_key()
    old = KeyStore(sql_url, {1: KEK})
    store = MemoryEventStore(REGISTRY, sealing=Sealer(old, personal))
    for stream, events in STORIES.items():
        store.append(stream, events)
    before = wrapped(sql_url)

    both = KeyStore(sql_url, {1: KEK, 2: new})
    assert (both.rewrap(), both.rewrap()) == (2, 0)

    assert not set(before) & set(wrapped(sql_url))
    only_new, only_old = KeyStore(sql_url, {2: new}), KeyStore(sql_url, {1: KEK})
    assert only_new.to_open(ANA.key, 1) is not None
    with pytest.raises(WrongKey):
        only_old.to_open(ANA.key, 1)
    for keys in (old, both, only_new, only_old):
        keys.close()


def test_a_rewrap_without_the_old_key_encryption_key_changes_nothing(sql_url: str) -> None:
    keys = KeyStore(sql_url, {1: KEK})
    keys.to_seal("1001")
    before = wrapped(sql_url)
    with pytest.raises(WrongKey, match="key-encryption key 1; given was only 2"):
        KeyStore(sql_url, {2: new_key()}).rewrap()
    assert wrapped(sql_url) == before
    keys.close()


def test_a_destroyed_key_is_not_in_the_key_stores_files_any_more(keys: KeyStore, tmp_path: Path) -> None:
    for subject in ("1001", "1002"):
        keys.to_seal(subject)
    gone, stays = sorted(wrapped(f"sqlite:///{tmp_path / 'keys.db'}"), key=_order(keys))

    assert keys.destroy("1001")
    assert not keys.destroy("1001")

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("keys.db*"))
    assert gone not in stored
    assert stays in stored


def _order(keys: KeyStore):  # type: ignore[no-untyped-def]
    with keys.engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT wrapped, subject FROM data_keys")).all()
    return dict(tuple(row) for row in rows).__getitem__


def test_a_subject_forgotten_before_its_first_key_never_gets_one(keys: KeyStore) -> None:
    assert not keys.destroy("1003")
    with pytest.raises(SubjectIsForgotten):
        keys.to_seal("1003")


def test_another_program_forgets_as_soon_as_it_does_not_hold_the_key_any_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    here, there = KeyStore(url, {1: KEK}), KeyStore(url, {1: KEK}, hold_seconds=0)
    holding = KeyStore(url, {1: KEK}, hold_seconds=60)
    for keys in (here, there, holding):
        assert isinstance(keys.to_open("1001", here.to_seal("1001")[0]), AESGCM)
    here.destroy("1001")

    assert here.to_open("1001", 1) is None
    assert there.to_open("1001", 1) is None
    assert holding.to_open("1001", 1) is not None
    holding.close()
    assert holding.to_open("1001", 1) is None


def test_a_key_store_from_a_copy_is_made_to_forget_again(tmp_path: Path) -> None:
    keys = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", {1: KEK}, hold_seconds=0)
    store = SqlEventStore(f"sqlite:///{tmp_path / 'events.db'}", REGISTRY, sealing=Sealer(keys, personal))
    for stream, events in STORIES.items():
        store.append(stream, events)
    shutil.copy(tmp_path / "keys.db", tmp_path / "backup.db")
    forget(store, keys, ANA.key, "letter")

    restored = KeyStore(f"sqlite:///{tmp_path / 'backup.db'}", {1: KEK}, hold_seconds=0)
    assert restored.to_open(ANA.key, 1) is not None
    assert (enforce(store, restored), enforce(store, restored)) == ([ANA.key], [])

    assert restored.to_open(ANA.key, 1) is None
    assert restored.to_open(BEN.key, 1) is not None


def test_a_wrapped_key_in_another_row_opens_nothing(keys: KeyStore) -> None:
    for subject in ("1001", "1002"):
        keys.to_seal(subject)
    swap = "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE subject = '1002')"
    with keys.engine.begin() as connection:
        connection.exec_driver_sql(swap)
    with pytest.raises(WrongKey, match="or the row was changed"):
        keys.to_open("1001", 1)


def test_keys_do_not_live_with_the_events(sql_url: str) -> None:
    store = SqlEventStore(sql_url, REGISTRY)
    store.append(ANA, [deposited("1.00")])
    with pytest.raises(ValueError, match="holds events too; the keys need a database of their own"):
        KeyStore(sql_url, {1: KEK})
    store.close()


def test_bad_key_encryption_keys_and_addresses_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no key-encryption key; new_key"):
        KeyStore("sqlite://", {})
    with pytest.raises(ValueError, match="key-encryption key 2 is not 32 bytes"):
        KeyStore("sqlite://", {1: KEK, 2: b"secret"})
    with pytest.raises(ValueError, match="in memory is gone with its connection"):
        KeyStore("sqlite://", {1: KEK})
    with pytest.raises(ValueError, match="is not a database URL"):
        KeyStore("keys.db", {1: KEK})
    with pytest.raises(Unavailable, match="the file cannot be opened"):
        KeyStore(f"sqlite:///{tmp_path / 'nowhere' / 'keys.db'}", {1: KEK})


def test_a_key_of_a_version_that_never_was_is_missing(keys: KeyStore) -> None:
    keys.to_seal("1001")
    with pytest.raises(MissingKey, match="no key 7 of the subject '1001'"):
        keys.to_open("1001", 7)
