import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import cart
from eventlab.pitfalls import shoppers
from eventlab.pitfalls.producers import wrong_key


@pytest.mark.parametrize("key", [None, "random", "type"])
def test_all_other_keys_tear_carts_apart(kafka, key):
    result = wrong_key.run(kafka, key=key)
    assert result.of == wrong_key.SHOPPERS
    assert 0 < result.count <= wrong_key.SHOPPERS
    assert len({record.partition for record in result.records}) > 1


def test_by_type_some_carts_break_and_some_do_not(kafka):
    result = wrong_key.run(kafka, key="type")
    assert 0 < result.count < result.of
    homes = {}
    for record in result.records:
        homes.setdefault(record.type, set()).add(record.partition)
    assert all(len(home) == 1 for home in homes.values())


def test_the_same_seed_gives_the_same_number(kafka):
    assert len({wrong_key.run(kafka, key="random", seed=3).wrong for _ in range(3)}) == 1


@given(shoppers_=st.integers(1, 60), seed=st.integers())
def test_shoppers_shop_at_the_same_time_and_each_in_order(shoppers_, seed):
    facts = shoppers.interleaved(shoppers.stories(shoppers_), seed)
    for story in shoppers.stories(shoppers_):
        assert [fact for fact in facts if fact.key == story[0].key] == story
    assert len(facts) == sum(map(len, shoppers.stories(shoppers_)))


def test_stories_are_carts_that_were_created_and_bought():
    for story in shoppers.stories(16):
        assert [fact.version for fact in story] == list(range(1, len(story) + 1))
        assert (story[0].type, story[1].type, story[-1].type) == ("CartCreated", "ItemAdded", "CheckedOut")
        assert {fact.type for fact in story} <= {event.__name__ for event in cart.EVENTS}
