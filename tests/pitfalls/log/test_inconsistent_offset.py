from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.log import inconsistent_offset
from eventlab.pitfalls.log.inconsistent_offset import _ALONE


def test_an_offset_that_was_acknowledged_for_one_payment_holds_another(kafka3):
    result = inconsistent_offset.run(kafka3)
    assert [fact.key for fact in lost_writes(result.history)] == [
        attempt.fact.key for attempt in result.history.sent[_ALONE]
    ]
    table = result.rewritten()
    assert table["offset"].tolist() == list(range(_ALONE.start, _ALONE.stop))
    assert (table["acknowledged there"] != table["read there"]).all()
    after = result.timeline.samples[-1]
    assert after.in_sync == after.replicas


def test_two_of_two_refuses_and_the_copy_that_fell_out_leads_without_a_loss(kafka3):
    """Eligible leader replicas (KIP-966): no unclean election is needed, although the ISR has died."""
    result = inconsistent_offset.run(kafka3, in_sync="2 of 2", unclean=False)
    assert result.timeline.notes[0][1] == f"{_ALONE.start} acknowledged", "nothing while one copy was out of sync"
    first = result.timeline.samples[0].leader
    assert any(sample.led and sample.leader != first for sample in result.timeline.samples)
    assert (result.count, lost_writes(result.history)) == (0, [])
    assert {attempt.status for attempt in result.history.sent} == {"ok"}
