import pytest

from eventlab.cluster import LabError
from eventlab.pitfalls.checkers import aborted_reads, lost_writes
from eventlab.pitfalls.producers import torn_transaction
from eventlab.pitfalls.topics import read

REPEAT = 10


def test_half_of_a_committed_transfer_is_gone_and_the_bank_was_told_that_all_is_well(kafka):
    history = torn_transaction.run(kafka).history
    assert [fact.id for fact in lost_writes(history)] == ["transfer-4/1"]
    [gone] = [attempt for attempt in history.sent if attempt.fact.id == "transfer-4/1"]
    assert (gone.status, gone.transaction) == ("ok", "transfer-4")
    assert {attempt.status for attempt in history.sent if attempt.fact.key == "transfer-3"} == {"fail"}
    assert not aborted_reads(history)


def test_the_other_way_round_half_of_an_aborted_transfer_is_seen(kafka):
    history = torn_transaction.run(kafka, late="commit").history
    assert [fact.id for fact in aborted_reads(history)] == ["transfer-4/1"]
    assert not lost_writes(history)
    assert torn_transaction.run(kafka, late="commit", on_timeout="new producer").count == 0


@pytest.mark.parametrize("seed", range(REPEAT))
def test_the_java_client_is_never_torn(kafka, seed):
    late = ("abort", "commit")[seed % 2]
    result = torn_transaction.run(kafka, client="java", late=late, seed=seed)
    assert result.count == 0
    turned_down = "transfer-3" if late == "abort" else "transfer-4"
    assert {attempt.status for attempt in result.history.sent if attempt.fact.key != turned_down} == {"ok"}
    assert sorted(record.id for record in result.records) == sorted(
        attempt.fact.id for attempt in result.history.sent if attempt.status == "ok"
    )


def test_a_timeout_that_the_client_keeps_to_itself_cannot_be_acted_upon(kafka):
    assert torn_transaction.run(kafka, on_timeout="new producer", patience=20).count == 1


def test_on_a_single_partition_the_broker_notices(kafka):
    with pytest.raises(LabError, match="invalid state"):
        torn_transaction.run(kafka, partitions=1)


def test_what_the_network_kept_is_still_in_the_log_of_the_one_who_reads_everything(kafka, monkeypatch):
    """Nothing was lost on the way: the debit is in the log, under an abort that was meant for another."""
    monkeypatch.setattr(
        torn_transaction, "read", lambda kafka, topic: read(kafka, topic, **{"isolation.level": "read_uncommitted"})
    )
    assert torn_transaction.run(kafka).count == 0
