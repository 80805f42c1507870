"""What is written to a topic, and the same as one reader saw it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import msgspec

Place = tuple[int, int]
"""A partition and an offset in it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event of an entity's story.

    ``key`` names the entity and ``version`` counts its events from 1. (The key of the Kafka record is another matter:
    choosing it is what many pitfalls are about.) ``label`` says in words what happened. ``producer`` is who wrote it,
    by whose clock. ``cause`` is the id of the fact that led to it, if one did.
    """

    key: str
    version: int
    type: str
    label: str
    producer: str
    cause: str = ""

    @property
    def id(self) -> str:
        """Which event of which entity: ``cart-17/3``."""
        return f"{self.key}/{self.version}"

    @classmethod
    def of(cls, value: bytes) -> "Fact":
        """The fact that the value of a Kafka record says, wherever it lies."""
        return Fact(**msgspec.json.decode(value))

    def encode(self) -> bytes:
        """The value of its Kafka record: JSON in one line."""
        return msgspec.json.encode({field.name: getattr(self, field.name) for field in fields(Fact)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Fact):
    """A fact as a reader got it: the ``order``-th from 0, from this offset of this partition.

    ``timestamp`` is the record's own: what the clock of its producer said. ``reader`` tells several readers apart;
    ``transaction`` is the one in which it was read, if its reader writes what follows from it in the same.
    """

    order: int
    partition: int
    offset: int
    timestamp: datetime
    reader: str = ""
    transaction: str = ""

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self.partition, self.offset

    @property
    def fact(self) -> Fact:
        """What it says, wherever it lies and whoever reads it."""
        return Fact(self.key, self.version, self.type, self.label, self.producer, self.cause)

    @classmethod
    def decode(cls, value: bytes, **place: Any) -> "Record":
        """The record whose value is ``value``. ``place`` holds the other fields."""
        return cls(**msgspec.json.decode(value), **place)
