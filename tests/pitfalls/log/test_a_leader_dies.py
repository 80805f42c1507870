"""P26 and P27: what a leader that dies takes along. In one file, since each that needs three brokers starts them."""

from eventlab import show
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.log import acknowledged_by_one, inconsistent_offset


def test_what_the_followers_had_not_copied_is_lost_and_its_offsets_are_given_again(kafka3):
    result = acknowledged_by_one.run(kafka3)
    assert {attempt.status for attempt in result.history.sent} == {"ok"}, "each payment was acknowledged"
    meanwhile = {attempt.fact for attempt in result.history.sent[acknowledged_by_one._LAG]}
    lost = set(lost_writes(result.history))
    assert lost <= meanwhile
    assert len(lost) >= len(meanwhile) - 5, "a follower's fetch that was under way brings the first"
    table = result.rewritten()
    assert table["offset"].tolist() == list(range(80 - len(lost), 100 - len(lost)))
    assert (table["acknowledged there"] != table["read there"]).all()

    # The picture: both followers paused at once, the leader dead, another one leads, and all is well at the end.
    samples = result.timeline.samples
    leader = next(sample.leader for sample in samples if sample.leader)
    assert any(list(sample.brokers.values()).count("paused") == 2 for sample in samples)
    assert any(sample.brokers[leader] == "dead" for sample in samples)
    assert result.timeline.leaderless > 0
    assert samples[-1].leader != leader
    assert {broker.state for broker in kafka3.brokers} == {"running"}
    assert "leader, dead" in show.brokers(result.timeline).alt


def test_two_of_two_refuses_and_the_copy_that_fell_out_leads_without_a_loss(kafka3):
    """Eligible leader replicas (KIP-966): no unclean election is needed, although the ISR has died."""
    result = inconsistent_offset.run(kafka3, in_sync="2 of 2", unclean=False)
    assert result.timeline.notes[0][1] == f"{inconsistent_offset._ALONE.start} acknowledged", (
        "nothing while one copy was out of sync"
    )
    first = next(sample.leader for sample in result.timeline.samples if sample.leader)
    assert any(sample.led and sample.leader != first for sample in result.timeline.samples)
    assert (result.count, lost_writes(result.history)) == (0, [])
    assert {attempt.status for attempt in result.history.sent} == {"ok"}
    assert result.rewritten().empty
    after = result.timeline.samples[-1]
    assert after.in_sync == after.replicas
