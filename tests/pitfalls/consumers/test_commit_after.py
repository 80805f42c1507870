import pytest

from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.consumers import commit_after
from eventlab.pitfalls.payments import payments

FACTS = payments(commit_after.PAYMENTS, 7)


def test_the_batch_between_the_two_writes_is_booked_twice_and_none_is_lost(kafka):
    result = commit_after.run(kafka)
    assert [record.fact for record in result.records] == FACTS[:50] + FACTS[25:]
    assert lost_writes(result.history) == []


@pytest.mark.parametrize("cure", [{"offsets": "in the book"}, {"ids": True}])
def test_each_cure_books_every_payment_once(kafka, cure):
    result = commit_after.run(kafka, **cure)
    assert [record.fact for record in result.records] == FACTS
