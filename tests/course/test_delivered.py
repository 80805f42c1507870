"""The way of a consumer through its partition, drawn from planted books."""

from tests.pitfalls.histories import fact, history

from eventlab.course import delivered
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Record

FACTS = [fact(f"payment-{number}", 1) for number in range(10)]


def booked(*offsets):
    """The result of a consumer that booked the payments at these offsets, of ten."""
    lines = history(*((FACTS[offset].key, 1) for offset in offsets)).read
    at = [
        Record(**{**{name: getattr(line, name) for name in Record.__dataclass_fields__}, "offset": offset})
        for line, offset in zip(lines, offsets, strict=True)
    ]
    return Result(History(tuple(at), tuple(Sent(each, "ok") for each in FACTS)), lost_writes, "payments are missing")


def told(*offsets):
    return delivered.way(booked(*offsets)).table.to_numpy().tolist()


def test_a_way_from_the_beginning_to_the_end_is_one_stretch():
    assert told(*range(10)) == [["0 to 9", 10, "for the first time"]]


def test_what_was_jumped_over_is_told_and_drawn():
    figure = delivered.way(booked(0, 1, 7, 8, 9))
    assert figure.table.to_numpy().tolist() == [
        ["0 to 1", 2, "for the first time"],
        ["7 to 9", 3, "for the first time"],
        ["2 to 6", 5, "never"],
    ]
    assert "never booked: 2 to 6" in figure.svg
    assert "offsets 2 to 6 never" in figure.alt


def test_what_is_booked_again_is_a_stretch_of_its_own():
    assert told(0, 1, 2, 1, 2, *range(3, 10)) == [
        ["0 to 2", 3, "for the first time"],
        ["1 to 2", 2, "again"],
        ["3 to 9", 7, "for the first time"],
    ]
