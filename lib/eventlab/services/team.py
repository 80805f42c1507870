"""What every service is: tables, what each type of event does to them, and the question that it answers."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


class Event(NamedTuple):
    """A record of the topic: the cart or order that it is about, the name of its type, and its JSON."""

    key: str
    type: str
    data: bytes


# Changes the tables; what it gives back, if anything, is published under the same key.
Handler = Callable[[sqlite3.Connection, Event], bytes | None]
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Team:
    """A team and its service. ``editions`` are its programs: for each, the types of event that it handles.

    ``unknown`` is the team's habit when a type comes that the program does not handle. ``answer`` is the query that
    others ask of its view; the last ``values`` columns are what it says, those before are the key.
    """

    tables: str
    editions: Mapping[str, Mapping[str, Handler]]
    answer: str
    values: int
    unknown: Literal["stop", "skip"]
