import pytest

from eventlab.pitfalls.checkers import lost_writes, repeats
from eventlab.pitfalls.consumers import thread_pool
from eventlab.pitfalls.crew import watermark
from eventlab.pitfalls.shoppers import stories


def test_the_slow_event_of_each_of_the_six_carts_comes_behind_its_later_ones(kafka):
    result = thread_pool.run(kafka)
    slow = {id_.split("/")[0] for id_ in thread_pool._slow(stories(thread_pool.SHOPPERS), thread_pool.PITFALL.seed)}
    last = {record.key: record.version for record in result.records}
    assert {key: last[key] for key in slow} == dict.fromkeys(slow, 2)
    assert slow <= set(result.wrong), "the pool may mix up others too: which thread is first is chance"
    assert (lost_writes(result.history), repeats(result.history)) == ([], [])


def test_with_a_lane_per_cart_each_story_is_told_in_order_and_whole(kafka):
    result = thread_pool.run(kafka, threads="lane per cart")
    told = {story[0].key: list(story) for story in stories(thread_pool.SHOPPERS)}
    assert {key: [r.fact for r in result.records if r.key == key] for key in told} == told


def test_a_kill_behind_the_highest_offset_loses_what_was_not_done_and_behind_the_watermark_nothing(kafka):
    lost, whole = thread_pool.killed(kafka), thread_pool.killed(kafka, commit="watermark")
    assert lost.count >= thread_pool.SLOW
    assert (whole.count, repeats(whole.history), whole.inversions) == (0, [], 0)


@pytest.mark.parametrize(
    ("done", "mark"), [([], 5), ([5], 6), ([6, 7], 5), ([7, 5, 6], 8), ([8, 6, 5], 7), ([3, 4, 5], 6)]
)
def test_the_watermark_is_where_the_first_one_is_missing(done, mark):
    assert watermark(5, done) == mark
