"""Time travel, read only: any moment, two moments, every step, and what if."""

from eventlab.history.belief import as_believed, learned, on_record
from eventlab.history.bitemporal import Bitemporal, bitemporal
from eventlab.history.changes import Change
from eventlab.history.difference import Difference, diff
from eventlab.history.moments import Axis, Moment
from eventlab.history.past import as_of
from eventlab.history.walk import Step, Steps, steps
from eventlab.history.what_if import WhatIf, what_if

__all__ = [
    "Axis",
    "Bitemporal",
    "Change",
    "Difference",
    "Moment",
    "Step",
    "Steps",
    "WhatIf",
    "as_believed",
    "as_of",
    "bitemporal",
    "diff",
    "learned",
    "on_record",
    "steps",
    "what_if",
]
