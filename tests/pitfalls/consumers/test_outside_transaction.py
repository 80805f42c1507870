from eventlab.pitfalls.bank import receipt
from eventlab.pitfalls.consumers import outside_transaction
from eventlab.pitfalls.payments import payments

RECEIPTS = [receipt(payment) for payment in payments(outside_transaction.PAYMENTS, 7)]


def test_the_transaction_before_the_kill_counts_and_so_does_the_one_after_it(kafka):
    result = outside_transaction.run(kafka)
    assert [record.fact for record in result.records] == RECEIPTS[:50] + RECEIPTS[25:]


def test_with_the_offsets_in_it_the_transaction_of_the_killed_process_does_not_count(kafka):
    result = outside_transaction.run(kafka, offsets="in the transaction")
    assert [record.fact for record in result.records] == RECEIPTS
    skipped = result.records[25].offset - result.records[24].offset
    assert skipped > 25, "the receipts that were taken back are still in the log"
