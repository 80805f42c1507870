"""The lanes as Python sees them: the order of reading, what is out of order, what is left without a kernel."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from eventlab.show import lanes

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@dataclass
class Record:
    partition: int
    offset: int
    key: str
    label: str
    version: int
    order: int
    timestamp: datetime
    inverted: bool = False


READ = [
    Record(2, 0, "cart-17", "checked out", 2, 1, NOON + timedelta(seconds=2)),
    Record(0, 0, "cart-9", "created", 1, 2, NOON),
    Record(10, 0, "cart-17", "created", 1, 5, NOON + timedelta(seconds=1), inverted=True),
    Record(0, 1, "cart-9", "checked out", 2, 7, NOON + timedelta(milliseconds=250)),
]


@given(st.permutations(READ))
def test_records_stand_in_the_order_of_reading_however_they_come(records):
    sent = lanes(records)._records
    assert sent["label"] == ["checked out", "created", "created", "checked out"]
    assert sent["time"] == ["12:00:02.000", "12:00:00.000", "12:00:01.000", "12:00:00.250"]
    assert sent["inverted"] == [False, False, True, False]


def test_lanes_are_in_the_order_of_the_partitions_numbers():
    shown = lanes(READ)
    assert shown._names["partitions"] == [0, 2, 10]
    assert shown._records["partition"] == [1, 0, 2, 0]


def test_a_data_frame_shows_the_same_as_dataclasses():
    frame = pd.DataFrame(READ)
    frame["timestamp"] = [int(record.timestamp.timestamp() * 1000) for record in READ]
    assert lanes(frame).get_state(["_records", "_names"]) == lanes(READ).get_state(["_records", "_names"])


def test_the_caller_keeps_its_frame_as_it_was():
    frame = pd.DataFrame(READ).sample(frac=1, random_state=7)
    before = frame.copy()
    lanes(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_the_key_that_is_most_out_of_order_is_highlighted():
    assert lanes(READ).highlight == "cart-17"
    assert lanes(READ, highlight="cart-9").highlight == "cart-9"
    assert lanes(pd.DataFrame(READ).drop(columns="inverted")).highlight == ""


def test_keys_that_are_out_of_order_carry_a_mark_in_the_list():
    names = lanes(READ)._names
    assert dict(zip(names["keys"], names["marks"], strict=True)) == {"cart-17": True, "cart-9": False}


def test_the_alt_text_counts_what_the_picture_shows_and_follows_the_highlight():
    shown = lanes(READ)
    assert shown.alt == (
        "Partitions as lanes (3): 4 records of 2 keys, from left to right in the order of reading. "
        "Out of order: 1 of 4 records, in 1 of 2 keys. Highlighted: cart-17, read in the versions 2, 1."
    )
    shown.highlight = "cart-9"
    assert shown._alt.endswith("Highlighted: cart-9, read in the versions 1, 2.")
    shown.highlight = ""
    assert "Highlighted" not in shown._alt


def test_a_record_or_key_that_is_not_there_is_refused_and_nothing_moves():
    shown = lanes(READ)
    with pytest.raises(TraitError, match="no record 4: they go from 0 to 3"):
        shown.cursor = 4
    with pytest.raises(TraitError, match="no record has the key 'cart-1'; the keys are cart-17, cart-9"):
        shown.highlight = "cart-1"
    assert (shown.cursor, shown.highlight) == (3, "cart-17")


def test_without_a_kernel_there_is_a_picture_with_alt_text_and_tables():
    data, _ = lanes(READ)._repr_mimebundle_()
    page = data["text/html"]
    assert "application/json" not in data
    assert f'role="img" aria-label="{lanes(READ).alt}"' in page
    assert "<svg" in page
    assert "<td>cart-17</td><td>created</td>" in page
    assert "http" not in page.replace("http://www.w3.org/", ""), "nothing is loaded from the network"


def test_no_records_are_a_clear_error():
    with pytest.raises(ValueError, match="nothing was read"):
        lanes([])


def test_a_missing_column_is_a_clear_error():
    with pytest.raises(ValueError, match="the records have no version, order; they need partition, offset"):
        lanes(pd.DataFrame(READ).drop(columns=["order", "version"]))
