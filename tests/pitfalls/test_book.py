"""The book that consumers write into: whole transactions, one owner of a partition after the other."""

import pytest

from eventlab.pitfalls.book import Book, applied
from eventlab.pitfalls.payments import payments

FACTS = payments(3, 7)


class Delivered:
    """A message as a consumer hands it out."""

    def __init__(self, offset):
        self._offset = offset

    def value(self):
        return FACTS[self._offset].encode()

    def partition(self):
        return 0

    def offset(self):
        return self._offset

    def timestamp(self):
        return 1, 1_772_452_800_000


@pytest.fixture
def book(tmp_path):
    book = Book(str(tmp_path / "book.db"))
    yield book
    book.close()


def test_another_reader_finds_what_was_applied_in_the_order_of_applying(book, tmp_path):
    for offset in (1, 0, 1):
        book.apply(Delivered(offset))
    records = applied(str(tmp_path / "book.db"))
    assert [(record.fact, record.offset, record.order) for record in records] == [
        (FACTS[1], 1, 0), (FACTS[0], 0, 1), (FACTS[1], 1, 2)
    ]  # fmt: skip


def test_a_transaction_that_fails_leaves_neither_lines_nor_offset(book):
    with pytest.raises(ZeroDivisionError), book.transaction():  # noqa: PT012 (a transaction that fails half way)
        book.apply(Delivered(0))
        book.move(0, 1)
        raise ZeroDivisionError
    assert (book.records(), book.next(0), book.knows(Delivered(0))) == ((), 0, False)
    with book.transaction():
        book.apply(Delivered(0))
        book.move(0, 1)
    assert (len(book.records()), book.next(0), book.knows(Delivered(0))) == (1, 1, True)


def test_who_comes_later_has_the_higher_number_and_the_offset_stays(book):
    book.move(0, 7)
    assert (book.owner(0), book.owner(1)) == (0, 0)
    assert [book.take_over(0), book.take_over(0), book.take_over(1)] == [1, 2, 1]
    assert (book.owner(0), book.next(0), book.next(1)) == (2, 7, 0)
