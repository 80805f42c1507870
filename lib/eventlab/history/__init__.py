"""Time travel, read only: the state as of a version or a time, what changed between two moments, and every step."""

from eventlab.history.belief import as_believed, learned, on_record
from eventlab.history.bitemporal import Bitemporal, bitemporal
from eventlab.history.changes import Change
from eventlab.history.difference import Difference, diff
from eventlab.history.moments import Axis, Moment
from eventlab.history.past import as_of
from eventlab.history.walk import Step, Steps, steps

__all__ = [
    "Axis",
    "Bitemporal",
    "Change",
    "Difference",
    "Moment",
    "Step",
    "Steps",
    "as_believed",
    "as_of",
    "bitemporal",
    "diff",
    "learned",
    "on_record",
    "steps",
]
