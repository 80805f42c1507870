"""The bank of lesson 11: what DELETE leaves, what a destroyed key leaves, and what is left in the end."""

from contextlib import closing
from datetime import date

import pytest

from eventlab import forgetting
from eventlab.course.forgetting import ANA, BEN, NAMES, REGISTRY, Bank, account_of, picture
from eventlab.domain.account import Deposited
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent
from eventlab.forgetting import KeyStore, WrongKey
from eventlab.store import SqlEventStore


@pytest.fixture
def bank(kafka, request):
    bank = Bank(kafka, sealed=request.param)
    yield bank
    bank.close()
    assert not bank.folder.exists()


def places(report):
    return {leak.where for leak in report.leaks}


@pytest.mark.parametrize("bank", [False], indirect=True)
def test_rows_deleted_leave_the_name_everywhere_and_the_books_wrong(bank):
    assert bank.missing().minor == 0
    bank.delete(BEN)

    assert places(bank.search(NAMES[BEN])) == {
        "table events, column data", "write-ahead log", "column data", "partition 0, values", "inside the gzip",
        "records of a segment",
    }  # fmt: skip
    assert bank.missing().minor != 0


@pytest.mark.parametrize("bank", [True], indirect=True)
def test_a_destroyed_key_leaves_what_was_copied_and_the_books_right(bank):
    balance = bank.account(BEN).balance
    forgetting.forget(bank.store, bank.keys, BEN, "letter")
    shredded = bank.search(NAMES[BEN])

    assert places(shredded) == {
        "table addresses, column name", "table snapshots, column state", "write-ahead log", "inside the gzip",
    }  # fmt: skip
    assert bank.missing().minor == 0
    assert (bank.account(BEN).owner, bank.account(BEN).balance) == (forgetting.FORGOTTEN, balance)

    bank.rebuild()
    assert places(bank.search(NAMES[BEN])) == {"write-ahead log", "inside the gzip"}
    bank.vacuum()
    assert places(bank.search(NAMES[BEN])) == {"inside the gzip"}
    bank.expire()
    assert bank.search(NAMES[BEN]).clean
    assert not bank.search(NAMES[ANA]).clean, "her address is still there"
    assert "key destroyed: " in picture({"key destroyed": shredded, "cleaned": bank.search(NAMES[BEN])}).alt


@pytest.mark.parametrize("bank", [True], indirect=True)
def test_a_backup_of_the_keys_reads_again_until_it_is_enforced_or_worthless(bank):
    url = bank.copy_keys()
    forgetting.forget(bank.store, bank.keys, BEN, "letter")
    assert bank.readable(BEN, bank.keys) == 0
    with closing(KeyStore(url, {1: bank.kek}, hold_seconds=0)) as restored:
        assert bank.readable(BEN, restored) > 0
        forgetting.enforce(bank.store, restored)
        assert bank.readable(BEN, restored) == 0

    for _ in range(2):
        old, new = bank.kek, bank.rotate()
        assert old not in {bank.kek, *new.values()}
        with closing(KeyStore(bank.keys.engine.url, new)) as rotated:
            assert bank.readable(ANA, rotated) > 0
        with closing(KeyStore(url, new)) as copy, pytest.raises(WrongKey):
            bank.readable(ANA, copy)
    with pytest.raises(WrongKey):
        bank.account(ANA)


@pytest.mark.parametrize("bank", [True], indirect=True)
def test_a_renewed_key_hides_what_comes_from_whoever_has_the_old_one(bank):
    url = bank.copy_keys()
    before = bank.readable(ANA, bank.keys)
    assert bank.keys.renew(ANA) == 2
    bank.store.append(account_of(ANA), [NewEvent(Deposited(Money.of("80.00", "EUR"), date(2026, 3, 6), "a bonus"))])

    assert bank.by_key(ANA, bank.keys).values.tolist() == [[1, before, before], [2, 1, 1]]
    with closing(KeyStore(url, {1: bank.kek}, hold_seconds=0)) as copied:
        assert bank.by_key(ANA, copied).values.tolist() == [[1, before, before], [2, 1, 0]]
    forgetting.forget(bank.store, bank.keys, ANA, "letter")
    assert bank.by_key(ANA, bank.keys).values.tolist() == [[1, before, 0], [2, 1, 0]]


@pytest.mark.parametrize("bank", [True], indirect=True)
def test_its_address_book_listens_once_it_was_rebuilt(bank):
    bank.rebuild()
    forgetting.forget(bank.store, bank.keys, BEN, "letter")
    bank.vacuum()
    bank.expire()
    assert bank.search(NAMES[BEN]).clean
    assert len(list(SqlEventStore(bank.url, REGISTRY).read_all())) > len(NAMES)
