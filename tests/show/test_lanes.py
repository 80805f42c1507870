"""The lanes as Python sees them: the order of reading, what is out of order, what is left without a kernel."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from eventlab.show import entries, lanes

from .pages import without_sides

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
    sent = lanes(records)._entries
    assert sent["label"] == ["checked out", "created", "created", "checked out"]
    assert sent["time"] == ["12:00:02.000", "12:00:00.000", "12:00:01.000", "12:00:00.250"]
    assert sent["flags"] == [0, 0, 1, 0]
    assert sent["read"] == [1, 2, 3, 4]


def test_lanes_are_in_the_order_of_the_partitions_numbers():
    shown = lanes(READ)
    assert shown._names["partitions"] == [0, 2, 10]
    assert shown._entries["partition"] == [1, 0, 2, 0]


def test_a_data_frame_shows_the_same_as_dataclasses():
    frame = pd.DataFrame(READ)
    frame["timestamp"] = [int(record.timestamp.timestamp() * 1000) for record in READ]
    assert lanes(frame).get_state(["_entries", "_names"]) == lanes(READ).get_state(["_entries", "_names"])


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
    assert dict(zip(names["keys"], names["signs"], strict=True)) == {"cart-17": "▲", "cart-9": ""}


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
    with pytest.raises(TraitError, match="no entry 4: they go from 0 to 3"):
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
    assert "<td>cart-17</td><td>created</td>" in without_sides(page)
    assert "http" not in page.replace("http://www.w3.org/", ""), "nothing is loaded from the network"


def test_no_records_are_a_clear_error():
    with pytest.raises(ValueError, match="nothing was read"):
        lanes([])


def test_a_missing_column_is_a_clear_error():
    with pytest.raises(ValueError, match="the records have no version, order; they need partition, offset"):
        lanes(pd.DataFrame(READ).drop(columns=["order", "version"]))


@dataclass
class Mark:
    partition: int
    offset: int
    kind: str


# A reader of two transactions, the second of which was aborted, and of a third that is open.
COMMITTED = pd.DataFrame(
    {
        "partition": 0,
        "offset": [0, 1, 7],
        "key": ["cart-1", "cart-2", "cart-1"],
        "label": "added",
        "version": [1, 1, 2],
        "order": [0, 1, 2],
        "timestamp": NOON,
    }
)
LOG = [
    Mark(0, 2, "commit"),
    Mark(0, 6, "abort"),
    Mark(0, 8, "last stable offset"),
    Mark(0, 10, "high watermark"),
    Mark(3, 0, "high watermark"),
]


def test_marks_stand_between_the_records_where_their_offset_is():
    sent = lanes(COMMITTED, marks=LOG)._entries
    assert list(zip(sent["offset"], sent["kind"], sent["read"], strict=True)) == [
        (0, "high watermark", 0),  # of partition 3, of which nothing was read
        (0, "", 1),
        (1, "", 2),
        (2, "commit", 2),
        (3, "no record", 2),
        (6, "abort", 2),
        (7, "", 3),
        (8, "last stable offset", 3),
        (8, "no record", 3),
        (10, "high watermark", 3),
    ]
    assert (sent["last"][4], sent["last"][8]) == (5, 9)


def test_a_partition_of_which_nothing_was_read_has_a_lane():
    assert lanes(COMMITTED, marks=LOG)._names["partitions"] == [0, 3]


def test_marks_have_no_key_version_or_time():
    sent = lanes(COMMITTED, marks=LOG)._entries
    assert (sent["key"][3], sent["version"][3], sent["time"][3]) == (-1, 0, "")


def test_the_table_counts_records_in_whole_numbers_also_between_marks():
    page = without_sides(lanes(COMMITTED, marks=LOG)._repr_mimebundle_()[0]["text/html"])
    assert "<td>0</td>" in page
    assert "<td>0.0</td>" not in page
    assert "<td>-1</td>" not in page


def test_the_alt_text_tells_the_marks():
    assert lanes(COMMITTED, marks=LOG).alt.endswith(
        "Between them: no record 2 ×, commit marker 1 ×, abort marker 1 ×. "
        "Partition 0: last stable offset 8, high watermark 10. Partition 3: high watermark 0."
    )


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1), st.randoms(use_true_random=False))
def test_every_offset_up_to_the_high_watermark_is_accounted_for(offsets, random):
    """A record, a marker or a place without a record: nothing is left out, nothing twice."""
    markers = {offset: random.choice(["commit", "abort"]) for offset in sorted(offsets) if random.random() < 0.3}
    kept = sorted(offsets - set(markers)) or [61]
    high = max([*kept, *markers]) + 1 + random.randrange(3)
    frame = pd.DataFrame({"offset": kept, "order": range(len(kept)), "version": 1})
    frame = entries.records(frame.assign(partition=0, key="a", label="added", timestamp=NOON))
    marks = [*(Mark(0, offset, kind) for offset, kind in markers.items()), Mark(0, high, "high watermark")]
    row = entries.merged(frame, entries.marks(marks, frame))
    told = [offset for a, b in zip(row["offset"], row["last"], strict=True) for offset in range(a, b + 1)]
    assert told == list(range(min([*kept, *markers]), high + 1))


def test_what_else_is_wrong_with_a_record_has_a_sign_and_words():
    frame = pd.DataFrame(READ).assign(duplicate=[False, False, False, True], gap=[True, False, False, False])
    shown = lanes(frame)
    assert shown._entries["flags"] == [4, 0, 1, 2]
    assert shown._names["signs"] == ["▲○", "◆"]
    assert "Read before: 1 of 4 records, in 1 of 2 keys. Versions missing before it: 1 of 4" in shown.alt
    page = lanes(frame, highlight="")._repr_mimebundle_()[0]["text/html"]
    assert "<td>versions missing before it</td>" in without_sides(page)


def test_of_a_long_history_the_static_picture_shows_what_is_wrong_first():
    count = 3_000
    frame = pd.DataFrame({"offset": range(count), "order": range(count), "version": range(1, count + 1)})
    frame = frame.assign(partition=0, key="a", label="added", timestamp=NOON, inverted=frame["version"] == 2_000)
    page = lanes(frame)._repr_mimebundle_()[0]["text/html"]
    assert "The picture shows 600 of them, from the 1,700. on." in page
    assert page.count("▲") == 1
    assert len(page) < 1_000_000


def test_a_last_stable_offset_that_is_the_end_is_not_shown():
    stable, high = Mark(0, 8, "last stable offset"), Mark(0, 8, "high watermark")
    shown = lanes(COMMITTED, marks=[stable, high])
    assert shown._entries["kind"][-2:] == ["", "high watermark"]
    assert shown.alt.endswith("Partition 0: high watermark 8.")


def test_an_unknown_mark_is_a_clear_error():
    with pytest.raises(ValueError, match="there is no mark 'tombstone'; the marks are commit, abort, last stable"):
        lanes(READ, marks=[Mark(0, 1, "tombstone")])


def test_a_mark_without_its_place_is_a_clear_error():
    with pytest.raises(ValueError, match="the marks have no offset; they need partition, offset, kind"):
        lanes(READ, marks=pd.DataFrame({"partition": [0], "kind": ["commit"]}))
