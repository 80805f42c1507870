from eventlab.pitfalls.checkers import duplicates, lost_writes
from eventlab.pitfalls.producers import lost_acknowledgement


def test_the_request_whose_answer_was_lost_is_there_twice_and_no_other(kafka):
    history = lost_acknowledgement.run(kafka).history
    facts = [record.fact for record in history.read]
    assert facts == [*facts[:60], *facts[30:60], *facts[90:]]
    assert len(set(facts)) == 120
    assert [record.offset for record in duplicates(history)] == list(range(60, 90))


def test_the_producer_believes_that_it_wrote_each_event_once(kafka):
    history = lost_acknowledgement.run(kafka).history
    assert {attempt.status for attempt in history.sent} == {"ok"}
    assert len({attempt.fact for attempt in history.sent}) == len(history.sent)
    told = [attempt.offset for attempt in history.sent]
    assert told == [*range(30), *range(60, 150)], "of the first copy it never hears"
    assert lost_writes(history) == []
