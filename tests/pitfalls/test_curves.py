import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.pitfalls.curves import Curves, Point, in_words, slope

SIZES = (10, 100, 1_000)
CURVES = Curves(
    "accounts",
    [Point("topics", size, {"files": 5 * size, "ms": 40.0}) for size in SIZES]
    + [Point("store", size, {"files": 3, "ms": 0.0}) for size in SIZES],
)


@given(st.floats(-1, 2), st.floats(0.1, 1e6))
def test_the_slope_is_the_exponent(exponent, factor):
    assert slope({size: factor * size**exponent for size in SIZES}) == pytest.approx(exponent, abs=0.006)


def test_what_costs_nothing_does_not_grow_and_a_single_point_says_nothing():
    assert slope(dict.fromkeys(SIZES, 0.0)) == 0
    assert slope({10: 0, 100: 0, 1_000: 7}) == 0


@pytest.mark.parametrize(
    ("exponent", "words"),
    [
        (-1.0, "does not grow"),
        (0.1, "does not grow"),
        (0.5, "grows, but less than in step"),
        (1.0, "grows in step"),
        (2.0, "grows faster than in step"),
    ],
)
def test_a_slope_is_said_in_words(exponent, words):
    assert in_words(exponent) == words


def test_the_curves_are_a_table_of_costs_and_a_table_of_slopes():
    assert CURVES.ways == ["topics", "store"]
    assert CURVES.of("topics", "files") == {10: 50, 100: 500, 1_000: 5_000}
    assert CURVES.table().columns.tolist() == ["way", "accounts", "files", "ms"]
    assert CURVES.slopes()[["cost", "way", "slope", "in words"]].values.tolist() == [
        ["files", "topics", 1.0, "grows in step"],
        ["files", "store", 0.0, "does not grow"],
        ["ms", "topics", 0.0, "does not grow"],
        ["ms", "store", 0.0, "does not grow"],
    ]
    with pytest.raises(KeyError):
        CURVES.of("topics", "prayers")


def test_the_chart_says_its_slopes():
    picture = CURVES.chart("files")
    assert "topics: 50 for 10 accounts, 5,000 for 1,000; it grows in step (slope 1.00)." in picture.alt
    assert "store: 3 for 10 accounts, 3 for 1,000; it does not grow (slope 0.00)." in picture.alt
    assert "<svg" in picture.svg


def test_a_curve_of_nothing_is_no_line_and_is_told_all_the_same():
    assert "store: 0 for 10 accounts, 0 for 1,000; it does not grow" in CURVES.chart("ms").alt
