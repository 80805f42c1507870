from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.log import inconsistent_offset
from eventlab.pitfalls.log.inconsistent_offset import _ALONE


def test_two_of_two_refuses_and_the_copy_that_fell_out_leads_without_a_loss(kafka3):
    """Eligible leader replicas (KIP-966): no unclean election is needed, although the ISR has died."""
    result = inconsistent_offset.run(kafka3, in_sync="2 of 2", unclean=False)
    assert result.timeline.notes[0][1] == f"{_ALONE.start} acknowledged", "nothing while one copy was out of sync"
    first = next(sample.leader for sample in result.timeline.samples if sample.leader)
    assert any(sample.led and sample.leader != first for sample in result.timeline.samples)
    assert (result.count, lost_writes(result.history)) == (0, [])
    assert {attempt.status for attempt in result.history.sent} == {"ok"}
    assert result.rewritten().empty
    after = result.timeline.samples[-1]
    assert after.in_sync == after.replicas
