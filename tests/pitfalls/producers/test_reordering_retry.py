from eventlab.pitfalls.checkers import duplicates, inversions, lost_writes, nonmonotonic_sends
from eventlab.pitfalls.producers import reordering_retry


def test_the_event_that_failed_lies_behind_those_that_followed_it(kafka):
    result = reordering_retry.run(kafka)
    assert result.count == reordering_retry.FAILURES
    for cart in result.wrong:
        versions = [record.version for record in result.records if record.key == cart]
        assert versions == [1, *range(3, len(versions) + 1), 2]


def test_nothing_is_lost_or_doubled_and_the_producer_could_know(kafka):
    history = reordering_retry.run(kafka).history
    assert {attempt.status for attempt in history.sent} == {"ok"}
    assert lost_writes(history) == duplicates(history) == []
    overtaking = {fact.key for fact in nonmonotonic_sends(history)}
    assert overtaking == {record.key for record in inversions(history)}
