from dataclasses import replace

from eventlab.pitfalls.checkers import inversions
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.marks import Mark

from .histories import history


def result(*entries):
    return Result(history(*entries), inversions, "carts were read out of order")


MIXED = result(("a", 2, 1, 10), ("b", 1, 0, 0), ("a", 1, 0, 30), ("b", 2, 0, 5), ("c", 1, 1, 0))


def test_it_counts_keys_and_not_records():
    twice = result(("a", 3), ("a", 1), ("a", 2), ("b", 1))
    assert (twice.count, twice.of, twice.wrong, twice.inversions) == (1, 2, ("a",), 2)


def test_it_says_the_number_in_words_and_in_bold():
    assert repr(MIXED) == "1 of 3 carts were read out of order"
    assert MIXED._repr_html_() == "<b>1 of 3</b> carts were read out of order"


def test_sorted_by_version_heals_what_sorted_by_timestamp_does_not():
    assert MIXED.sorted_by("version").count == 0
    by_clock = MIXED.sorted_by("timestamp")
    assert [record.id for record in by_clock.records] == ["b/1", "c/1", "b/2", "a/2", "a/1"]
    assert by_clock.wrong == ("a",)


def test_sorting_renumbers_the_order_and_leaves_the_original_alone():
    assert [record.order for record in MIXED.sorted_by("version").records] == [0, 1, 2, 3, 4]
    assert [record.id for record in MIXED.records] == ["a/2", "b/1", "a/1", "b/2", "c/1"]


def test_the_table_has_a_row_per_record_in_the_order_of_reading_and_marks_the_inversions():
    table = MIXED.table()
    assert table["key"].tolist() == ["a", "b", "a", "b", "c"]
    assert table["order"].tolist() == [0, 1, 2, 3, 4]
    assert table.loc[table["inverted"], ["key", "version"]].values.tolist() == [["a", 1]]


def test_the_lanes_show_the_same_records_and_the_key_that_is_asked_for():
    lanes = MIXED.lanes(highlight="a")
    assert lanes.highlight == "a"
    assert f": {len(MIXED.records)} records of 3 keys" in lanes.alt
    assert "read in the versions 2, 1" in lanes.alt


def test_what_else_is_wrong_with_a_record_is_marked_too():
    table = result(("a", 1), ("a", 1), ("b", 3)).table()
    assert table["duplicate"].tolist() == [False, True, False]
    assert table["gap"].tolist() == [False, False, True]


def test_the_lanes_show_the_marks_of_the_log():
    shown = replace(MIXED, marks=(Mark(0, 7, "high watermark"),)).lanes()
    assert "Partition 0: high watermark 7." in shown.alt
