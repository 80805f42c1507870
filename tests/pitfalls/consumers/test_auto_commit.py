from eventlab.pitfalls.checkers import repeats
from eventlab.pitfalls.consumers import auto_commit
from eventlab.pitfalls.payments import payments

FACTS = payments(auto_commit.PAYMENTS, 7)


def test_the_rest_of_the_batch_is_passed_over_and_the_next_batch_is_not(kafka):
    result = auto_commit.run(kafka)
    booked = [record.fact for record in result.records]
    assert booked == FACTS[: auto_commit.KILLED_AFTER] + FACTS[500:]
    assert result.count == 400


def test_what_is_stored_after_the_work_comes_once_and_in_order(kafka):
    result = auto_commit.run(kafka, store=False)
    assert [record.fact for record in result.records] == FACTS
    assert repeats(result.history) == []
