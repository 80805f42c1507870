"""Brokers over time as a picture: what it draws, what it says, and the table beside it."""

import pytest

from eventlab import show
from eventlab.cluster.watch import Sample, Timeline
from eventlab.show.brokers import stretches

from .pages import without_sides

ALL = frozenset({1, 2, 3})


def seen(seconds, leader, in_sync, **processes):
    return Sample(seconds, {n: processes.get(f"b{n}", "running") for n in ALL}, ALL, leader, frozenset(in_sync))


TIMELINE = Timeline(
    (
        seen(0.0, 1, ALL),
        seen(0.1, 1, ALL),
        seen(0.2, 1, ALL, b2="paused"),
        seen(0.3, 1, ALL, b1="dead"),
        seen(2.0, 1, ALL, b1="dead"),
        seen(3.3, 3, {2, 3}, b1="dead"),
        seen(4.0, 3, {2, 3}, b1="dead"),
    ),
    ((0.25, "80 acknowledged"),),
)


def test_a_row_for_each_stretch_in_which_nothing_changed():
    rows = [tuple(row) for row in stretches(TIMELINE).itertuples(index=False)]
    assert rows == [
        (1, 0.0, 0.3, "running", "leader"),
        (1, 0.3, 3.3, "dead", "leader"),
        (1, 3.3, 4.0, "dead", "out of sync"),
        (2, 0.0, 0.2, "running", "in sync"),
        (2, 0.2, 0.3, "paused", "in sync"),
        (2, 0.3, 4.0, "running", "in sync"),
        (3, 0.0, 3.3, "running", "in sync"),
        (3, 3.3, 4.0, "running", "leader"),
    ]


def test_the_alt_text_tells_the_same():
    assert show.brokers(TIMELINE).alt == (
        "3 brokers as lanes over 4.0 s. "
        "Broker 1: from 0.0 s leader, from 0.3 s leader, dead, from 3.3 s out of sync, dead. "
        "Broker 2: from 0.0 s in sync, from 0.2 s in sync, paused, from 0.3 s in sync. "
        "Broker 3: from 0.0 s in sync, from 3.3 s leader. "
        "Without a leader that runs: 3.0 s. At 0.2 s: 80 acknowledged."
    )


def test_what_is_seen_does_not_depend_on_colours():
    svg = show.brokers(TIMELINE).svg
    for words in ("broker 1", "leader, dead", "in sync", "80 acknowledged", "outline: dead", "tall: leader"):
        assert words in svg, words
    assert "stroke-dasharray" in svg


def test_the_page_has_picture_alt_text_and_table_and_needs_no_network():
    page = show.brokers(TIMELINE)._repr_html_()
    assert 'role="img" aria-label="3 brokers as lanes' in page
    assert "<td>2</td><td>0.2</td><td>0.3</td><td>paused</td><td>in sync</td>" in without_sides(page)
    assert "http" not in page.replace("http://www.w3.org/", "")


def test_one_look_is_a_picture_too_and_no_look_is_a_clear_error():
    assert show.brokers(Timeline(TIMELINE.samples[:1])).table["counts as"].tolist() == ["leader", "in sync", "in sync"]
    with pytest.raises(ValueError, match="has not looked yet"):
        show.brokers(Timeline())
