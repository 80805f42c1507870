from datetime import datetime
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.events.envelope import NewEvent, StreamId, event_id


@given(st.text(min_size=1).filter(lambda text: "-" not in text), st.text(min_size=1))
def test_a_stream_reads_back_from_what_it_writes(category: str, key: str) -> None:
    assert StreamId.parse(str(StreamId(category, key))) == StreamId(category, key)


@pytest.mark.parametrize("text", ["", "cart", "cart-", "-17"])
def test_what_is_not_a_stream_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a category without dashes and a key"):
        StreamId.parse(text)


def test_each_event_has_an_id_of_its_own() -> None:
    assert NewEvent("x").id != NewEvent("x").id


def test_no_moment_without_zone_gets_in() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        NewEvent("x", valid_time=datetime(2026, 3, 3))  # noqa: DTZ001


def test_ids_are_of_version_7_and_stand_in_the_order_of_their_time_within_a_millisecond_too() -> None:
    made = [event_id() for _ in range(1_000)]
    assert {(each.version, each.variant) for each in made} == {(7, RFC_4122)}
    times = [each.int >> 64 for each in made]
    assert times == sorted(times)
