from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.pitfalls.checkers import aborted_reads, duplicates, lost_writes
from eventlab.pitfalls.producers import hole
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import read

FACTS = interleaved(stories(hole.SHOPPERS), 7)
NOT_DELIVERED = FACTS[hole._OUTAGE]


def test_what_the_producer_gave_up_is_missing_and_it_had_said_so(kafka):
    history = hole.run(kafka).history
    assert [attempt.fact for attempt in history.sent if attempt.status != "ok"] == NOT_DELIVERED
    assert [record.fact for record in history.read] == [fact for fact in FACTS if fact not in NOT_DELIVERED]
    assert lost_writes(history) == [], "nothing that was acknowledged is lost"


def test_a_shop_that_starts_again_has_all_in_order_and_none_twice(kafka):
    result = hole.run(kafka, on_failure="start again")
    assert [record.fact for record in result.records] == FACTS
    assert [attempt.fact for attempt in result.history.sent] == [
        *FACTS[: hole._OUTAGE.stop], *NOT_DELIVERED, *FACTS[hole._OUTAGE.stop :]
    ]  # fmt: skip


def test_after_a_time_out_nobody_knows(kafka):
    """The late network brings what the producer has reported as failed: so its status can be no more than unknown."""
    history = hole.run(kafka, network="late").history
    assert [attempt.fact for attempt in history.sent if attempt.status == "unknown"] == NOT_DELIVERED
    assert [record.fact for record in history.read] == FACTS
    assert aborted_reads(history) == []


def test_starting_again_doubles_what_was_only_late(kafka):
    history = hole.run(kafka, network="late", on_failure="start again").history
    assert [record.fact for record in duplicates(history)] == NOT_DELIVERED


def test_behind_the_second_copy_of_the_same_producer_the_late_one_is_refused(kafka):
    topic = kafka.topic("carts")
    hasty = {**hole._IDEMPOTENT, **hole._HASTY, "message.timeout.ms": 1000}
    with FaultProxy(kafka) as proxy, Sender(topic, proxy.config(**hasty)) as shop:
        late = proxy.hold(Frames("Produce", nth=1))
        for status in ("unknown", "ok"):
            shop.send(FACTS[:20])
            shop.flush()
            assert {attempt.status for attempt in shop.sent[-20:]} == {status}
        answered = proxy.watch(Frames("Produce", "response"))
        late.release()
        answered.wait()
    assert [record.fact for record in read(kafka, topic)] == FACTS[:20]


def test_a_job_that_ends_without_waiting_has_sent_nothing(kafka):
    forgot, waited = hole.ending(kafka), hole.ending(kafka, flush=True)
    assert (forgot.count, len(forgot.records)) == (hole.SHOPPERS, 0)
    assert (waited.count, [record.fact for record in waited.records]) == (0, FACTS)
    assert [attempt.fact for attempt in forgot.history.sent] == FACTS
