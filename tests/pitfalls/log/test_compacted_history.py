from eventlab.pitfalls.log import compacted_history, missed_tombstones
from eventlab.pitfalls.retention_check import DAY_MS
from eventlab.pitfalls.shoppers import stories


def test_of_each_cart_the_last_event_is_left(kafka):
    result = compacted_history.run(kafka)
    last = [story[-1] for story in stories(compacted_history.SHOPPERS)]
    assert sorted(record.id for record in result.records) == sorted(fact.id for fact in last)


def test_a_till_that_was_away_takes_vouchers_that_are_no_more(kafka):
    copies = missed_tombstones.run(kafka)
    assert len(copies.ghosts) == missed_tombstones.REVOKED
    assert len(copies.till) == missed_tombstones.VOUCHERS
    assert set(copies.topic) == set(copies.till) - set(copies.ghosts)
    shown = copies.table()
    assert shown.loc[shown["in the topic"] == "", "voucher"].tolist() == list(copies.ghosts)


def test_a_tombstone_that_waits_for_it_is_heard(kafka):
    copies = missed_tombstones.run(kafka, delete_retention_ms=DAY_MS)
    assert copies.till == copies.topic
    assert len(copies.topic) == missed_tombstones.VOUCHERS - missed_tombstones.REVOKED
