"""A store in clear is copied into a sealed one; a sealed one is copied, archived and restored without any key."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eventlab.forgetting import (
    FORGOTTEN,
    Database,
    Files,
    KeyStore,
    MissingKey,
    Sealer,
    SubjectIsForgotten,
    forget,
    leak_check,
)
from eventlab.forgetting.catalogue import personal
from eventlab.store import MemoryEventStore, SqlEventStore
from eventlab.store.archive import archive, restore
from eventlab.store.transform import Each, copy

from .bank import ANA, BEN, KEK, REGISTRY, STORIES, deposited

WORDS = ["Ana Almeida", "Ben Böttcher"]
UNCHANGED = Each(lambda event: [event])


def filled(store: SqlEventStore) -> SqlEventStore:
    for stream, events in STORIES.items():
        store.append(stream, events)
    return store


def test_events_in_clear_are_sealed_by_a_copy(keys: KeyStore, sqlite_url: str, tmp_path: Path) -> None:
    clear = filled(SqlEventStore(sqlite_url, REGISTRY))
    url = f"sqlite:///{tmp_path / 'sealed.db'}"
    sealed = copy(
        clear, lambda clock: SqlEventStore(url, REGISTRY, clock, sealing=Sealer(keys, personal)), UNCHANGED
    ).store

    assert [each.event for each in sealed.read_all()] == [each.event for each in clear.read_all()]
    assert leak_check(WORDS, Database(url)).clean
    forget(sealed, keys, BEN.key, "letter")
    assert sealed.load(BEN)[0][0].owner is FORGOTTEN  # type: ignore[attr-defined]


def test_a_copy_made_without_keys_opens_with_them(keys: KeyStore, sqlite_url: str) -> None:
    filled(SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(keys, personal)))
    sealer = Sealer(keys, personal)
    kept: list[MemoryEventStore] = []

    def target(clock: object) -> MemoryEventStore:
        kept.append(MemoryEventStore(REGISTRY, clock))  # type: ignore[arg-type]
        return kept[0]

    copy(SqlEventStore(sqlite_url, REGISTRY), target, UNCHANGED)
    opened = [sealer.open(each.event, each.id) for each in kept[0].read(BEN)]
    assert opened == [new.event for new in STORIES[BEN]]


def test_a_copy_made_with_keys_seals_everything_anew(keys: KeyStore, sqlite_url: str, tmp_path: Path) -> None:
    old = filled(SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(keys, personal)))
    shutil.copyfile(tmp_path / "keys.db", tmp_path / "stolen.db")
    keys.renew(ANA.key)
    keys.renew(BEN.key)
    url = f"sqlite:///{tmp_path / 'anew.db'}"
    new = copy(old, lambda clock: SqlEventStore(url, REGISTRY, clock, sealing=Sealer(keys, personal)), UNCHANGED).store

    assert new.load(BEN)[0] == [each.event for each in STORIES[BEN]]
    stolen = Sealer(KeyStore(f"sqlite:///{tmp_path / 'stolen.db'}", {1: KEK}), personal)
    assert SqlEventStore(sqlite_url, REGISTRY, sealing=stolen).load(BEN)[0] == new.load(BEN)[0]
    with pytest.raises(MissingKey):
        SqlEventStore(url, REGISTRY, sealing=stolen).load(BEN)


def test_an_archive_is_sealed_as_its_store_is_and_comes_back_so(
    keys: KeyStore, sqlite_url: str, tmp_path: Path
) -> None:
    store = filled(SqlEventStore(sqlite_url, REGISTRY, sealing=Sealer(keys, personal)))
    made = archive(store, tmp_path / "archive")
    assert leak_check(WORDS, Files(tmp_path / "archive")).clean
    forget(store, keys, ANA.key, "letter")

    back = MemoryEventStore(REGISTRY, sealing=Sealer(keys, personal))
    restore(made, back)
    assert [each.owner for each in back.load(ANA)[0][:1]] == [FORGOTTEN]  # type: ignore[attr-defined]
    assert back.load(BEN)[0][0] == STORIES[BEN][0].event


def test_whoever_appends_while_somebody_is_forgotten_leaves_nothing_to_read(keys: KeyStore, sql_url: str) -> None:
    store = SqlEventStore(sql_url, REGISTRY, sealing=Sealer(keys, personal))
    store.append(ANA, STORIES[ANA])

    def write(number: int) -> str:
        try:
            store.append(ANA, [deposited("1.00", f"salary {number} of Ana Almeida")])
        except SubjectIsForgotten:
            return "refused"
        return "stored"

    with ThreadPoolExecutor(4) as threads:
        writing = threads.map(write, range(40))
        forget(store, keys, ANA.key, "letter")
        outcomes = list(writing)

    texts = [each.text for each in store.load(ANA)[0][1:]]  # type: ignore[attr-defined]
    assert set(texts) == {FORGOTTEN}
    assert len(texts) == len(STORIES[ANA]) - 1 + outcomes.count("stored")
    assert write(41) == "refused"
    store.close()
