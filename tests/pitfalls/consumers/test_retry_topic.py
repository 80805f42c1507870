import pytest

from eventlab.pitfalls.checkers import inversions, lost_writes, version_gaps
from eventlab.pitfalls.consumers import retry_topic


def read_in_order(result, key):
    return [record.version for record in result.records if record.key == key]


def test_the_second_event_of_a_cart_comes_last(kafka):
    result = retry_topic.run(kafka)
    assert result.count == retry_topic.FAILURES
    for key in result.wrong:
        versions = read_in_order(result, key)
        assert versions == [1, *range(3, len(versions) + 1), 2]
    assert {record.partition for record in inversions(result.history)} == {retry_topic.ASIDE}


def test_a_parked_cart_is_late_and_whole_and_the_others_do_not_wait_for_it(kafka):
    result = retry_topic.run(kafka, on_failure="park the key")
    aside = [record for record in result.records if record.partition == retry_topic.ASIDE]
    assert len({record.key for record in aside}) == retry_topic.FAILURES
    assert {record.version for record in result.records if record.partition != retry_topic.ASIDE} >= {1, 2, 3, 4, 5}
    for record in aside:
        versions = read_in_order(result, record.key)
        assert versions == list(range(1, len(versions) + 1))
    assert not lost_writes(result.history)


@pytest.mark.parametrize(("on_failure", "holes"), [("dead letters", retry_topic.FAILURES), ("retry topic", 0)])
def test_dead_letters_are_holes_that_nothing_in_the_order_tells(kafka, on_failure, holes):
    result = retry_topic.run(kafka, on_failure=on_failure)
    assert len(version_gaps(result.history)) == len(lost_writes(result.history)) == holes
    assert (result.count > 0) == (holes == 0)
