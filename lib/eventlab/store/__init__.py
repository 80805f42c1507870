"""The event store: one contract, kept by memory, SQL and (as far as it can) a Kafka log."""

from eventlab.store.contract import (
    BEGINNING,
    START,
    Any,
    Append,
    Appended,
    EventStore,
    Expectation,
    Expected,
    NoStream,
    NotSupported,
    StoreError,
    StreamExists,
    Unavailable,
    WrongExpectedVersion,
)
from eventlab.store.handle import execute, state
from eventlab.store.kafka import KafkaEventLog
from eventlab.store.memory import MemoryEventStore
from eventlab.store.snapshots import MemorySnapshots, SqlSnapshots
from eventlab.store.sql import SqlEventStore

__all__ = [
    "BEGINNING",
    "START",
    "Any",
    "Append",
    "Appended",
    "EventStore",
    "Expectation",
    "Expected",
    "KafkaEventLog",
    "MemoryEventStore",
    "MemorySnapshots",
    "NoStream",
    "NotSupported",
    "SqlEventStore",
    "SqlSnapshots",
    "StoreError",
    "StreamExists",
    "Unavailable",
    "WrongExpectedVersion",
    "execute",
    "state",
]
