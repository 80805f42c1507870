"""A topic as a data frame: every record, with its place, its types, and what is missing."""

import json
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from confluent_kafka import Producer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlab.cluster import LabError
from eventlab.frames import topic as module
from eventlab.frames.topic import UnreadableRecord, topic_frame, topic_frames

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD = {"message_timestamp_type": "CreateTime", "retention_ms": -1}  # old records, which are to stay: see P20
SALE = {"product": str, "quantity": int, "price.minor": int, "price.currency": str, "express": bool, "at": datetime}
SALES = [
    {"product": "Hosen «M»", "quantity": 3, "price": {"minor": 4990, "currency": "EUR"}, "express": True,
     "at": "2026-03-02T12:00:00.25+02:00", "note": {"not": "asked for"}},
    {"product": "socks", "price": {"minor": 450}, "at": "2026-03-02T12:00:01Z"},
    {"quantity": None, "price": None},
]  # fmt: skip


def write(kafka, topic, values, partition=0, key=b"cart-1", at=NOON):
    producer = Producer(kafka.config(**{"log_level": 0}))
    for number, value in enumerate(values):
        text = value if isinstance(value, bytes | None) else json.dumps(value, ensure_ascii=False).encode()
        stamp = round((at + timedelta(seconds=number)).timestamp() * 1000)
        producer.produce(topic, text, key, partition=partition, timestamp=stamp)
    assert producer.flush(30) == 0
    producer.close()


def written(kafka, *values, **more):
    topic = kafka.topic("sales", **OLD)
    write(kafka, topic, values, **more)
    return topic


def test_each_field_in_its_type_and_missing_where_there_is_none(kafka):
    frame = topic_frame(kafka, written(kafka, *SALES), SALE)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "partition": "int64",
        "offset": "int64",
        "timestamp": "datetime64[ms, UTC]",
        "key": "str",
        "product": "str",
        "quantity": "Int64",
        "price.minor": "Int64",
        "price.currency": "str",
        "express": "boolean",
        "at": "datetime64[us, UTC]",
    }
    assert frame["product"].tolist()[:2] == ["Hosen «M»", "socks"]
    assert frame["quantity"].tolist() == [3, pd.NA, pd.NA]
    assert frame["price.minor"].tolist() == [4990, 450, pd.NA]
    assert frame["express"].tolist() == [True, pd.NA, pd.NA]
    assert frame["at"].tolist()[:2] == [pd.Timestamp("2026-03-02 10:00:00.25Z"), pd.Timestamp("2026-03-02 12:00:01Z")]
    assert frame.isna().sum()[["product", "price.currency", "at"]].tolist() == [1, 2, 1]


def test_where_each_record_lies_and_when_by_its_own_clock(kafka):
    topic = kafka.topic("sales", partitions=2, **OLD)
    write(kafka, topic, SALES, partition=1, key=None)
    write(kafka, topic, SALES, partition=0, key="Ünal".encode())
    frame = topic_frame(kafka, topic, {"product": str})
    assert frame["partition"].tolist() == [0, 0, 0, 1, 1, 1]
    assert frame["offset"].tolist() == [0, 1, 2, 0, 1, 2]
    assert frame["key"].tolist()[:3] == ["Ünal"] * 3
    assert frame["key"].isna().tolist()[3:] == [True] * 3
    assert frame["timestamp"].tolist() == [pd.Timestamp(NOON + timedelta(seconds=number)) for number in [0, 1, 2] * 2]


_ROW = st.fixed_dictionaries(
    {},
    optional={
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "real": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "yes": st.none() | st.booleans(),
        "text": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "day": st.none() | st.dates().map(str),
        "other": st.lists(st.integers(), max_size=2),
        "key": st.text("abc"),
    },
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROW, max_size=6), indent=st.sampled_from([None, 1]))
def test_whatever_is_written_is_what_the_frame_holds(kafka, rows, indent):
    columns = {"whole": int, "real": float, "yes": bool, "text": str, "day": date, "key": str}
    topic = written(kafka, *(json.dumps(row, indent=indent).encode() for row in rows))
    frame = topic_frame(kafka, topic, columns).rename(columns={"key": "record key", "value_key": "key"})
    for name, kind in columns.items():
        told = [None if missing else value for value, missing in zip(frame[name], frame[name].isna(), strict=True)]
        if kind is date:
            told = [value and value.date().isoformat() for value in told]
        assert told == [row.get(name) for row in rows]


def test_a_tombstone_is_a_row_of_nothing(kafka):
    frame = topic_frame(kafka, written(kafka, {"quantity": 1}, None), {"quantity": int})
    assert frame["quantity"].tolist() == [1, pd.NA]


def test_without_columns_there_are_the_places_whatever_the_values_are(kafka):
    frame = topic_frame(kafka, written(kafka, b"\x00\x01", b""), {})
    assert list(frame.columns) == ["partition", "offset", "timestamp", "key"]
    assert frame["offset"].tolist() == [0, 1]


def test_an_empty_topic_is_no_rows_with_the_same_columns(kafka):
    full = topic_frame(kafka, written(kafka, *SALES), SALE)
    assert topic_frame(kafka, written(kafka), SALE).dtypes.equals(full.dtypes)


def test_in_pieces_it_is_the_same(kafka):
    topic = written(kafka, *({"quantity": number} for number in range(2500)))
    pieces = list(topic_frames(kafka, topic, {"quantity": int}, rows=1000))
    assert len(pieces) == 3
    assert all(len(piece) >= 1000 for piece in pieces[:-1])
    pd.testing.assert_frame_equal(
        pd.concat(pieces, ignore_index=True), topic_frame(kafka, topic, {"quantity": int}), check_index_type=False
    )


def test_since_a_time(kafka):
    topic = written(kafka, *SALES)
    late = topic_frame(kafka, topic, {}, since=NOON + timedelta(seconds=1))
    assert late["offset"].tolist() == [1, 2]
    assert [len(piece) for piece in topic_frames(kafka, topic, {}, since=NOON + timedelta(seconds=2))] == [1]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (b'{"quantity": "many"}', "cannot parse 'many'"),
        (b'{"quantity": 1.5}', "cannot parse '1.5'"),
        (b'{"quantity": 1', "error parsing"),
        (b"\x00Avro", "error parsing"),
        (b'{"quantity": 1} {"quantity": 2}', "error parsing"),
        (b'{"quantity": 1}\n{"quantity": 2}', "error parsing"),
        (b"[1]", "expected to contain JSON object"),
        (b"", "the value is empty"),
        (b" \n", "the value is empty"),
        (b'{"at": "2026-03-02T12:00:00"}', "conversion from `str`"),
        (b'{"at": "noon"}', "conversion from `str`"),
    ],
)
def test_a_record_that_does_not_fit_is_named(kafka, bad, told):
    good = {"quantity": 7, "at": "2026-03-02T12:00:00Z"}
    topic = written(kafka, *[good] * 5, bad, *[good] * 8, bad)
    with pytest.raises(UnreadableRecord, match=rf"{topic} \[0\] offset 5 does not fit the columns: .*{told}") as found:
        topic_frame(kafka, topic, {"quantity": int, "at": datetime})
    assert "\n" not in str(found.value).rpartition(" Value: ")[0]


def test_a_key_that_is_not_text_is_named(kafka):
    topic = written(kafka, {"quantity": 1}, key=b"\xff")
    with pytest.raises(UnreadableRecord, match="offset 0 does not fit the columns: the key is not text"):
        topic_frame(kafka, topic, {"quantity": int})


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"tags": list}, "'tags' cannot be .*list.*one of int, float, bool, str, datetime, date"),
        ({"price": int, "price.minor": int}, "'price.minor' cannot be told from another one"),
        ({"price.minor": int, "price": int}, "'price' cannot be told from another one"),
    ],
)
def test_a_column_that_cannot_be_is_refused_before_anything_is_read(kafka, columns, told):
    for read in (topic_frame, topic_frames):
        with pytest.raises(ValueError, match=told):
            read(kafka, "not-there", columns)


def test_no_such_topic(kafka):
    for read in (topic_frame, topic_frames):
        with pytest.raises(LabError, match="has no topic not-there"):
            read(kafka, "not-there", {})


def test_a_bad_record_far_behind_is_found_in_its_own_piece(kafka, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 1000)
    topic = written(kafka, *[{"quantity": 1}] * 2200, {"quantity": "x"}, {"quantity": 1})
    with pytest.raises(UnreadableRecord, match="offset 2200 does not fit"):
        topic_frame(kafka, topic, {"quantity": int})
