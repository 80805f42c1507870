"""What a database remembers of a view of a topic, beside the checkpoints that every view has (a lane is a partition).

All of it moves in the transaction that writes the view's rows.
"""

from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, Uuid

from eventlab.views.bookkeeping import of_versions


class Books(NamedTuple):
    """The four tables, in one schema."""

    owners: Table
    streams: Table
    seen: Table
    parked: Table


@lru_cache
def topic_books(schema: str | None) -> Books:
    """The tables in ``schema`` (PostgreSQL), or in the only one there is."""
    metadata = MetaData(schema=schema)
    return Books(
        # Whoever takes a partition over raises its epoch: those who still have an older one write nothing more.
        owners=of_versions(
            "topic_owners",
            metadata,
            Column("lane", Integer, primary_key=True),
            Column("topic", Text, nullable=False),
            Column("epoch", BigInteger, nullable=False),
        ),
        # The last version of each stream, to count the next one or to see that it is missing.
        streams=of_versions(
            "topic_streams",
            metadata,
            Column("stream", Text, primary_key=True),
            Column("lane", Integer, nullable=False),
            Column("last", BigInteger, nullable=False),
        ),
        # The ids of all events that were applied: one that was sent twice is applied once, however late.
        seen=of_versions("topic_seen", metadata, Column("id", Uuid, primary_key=True)),
        # Whole records: the topic may not have them any more when they are tried again.
        parked=of_versions(
            "topic_parked",
            metadata,
            Column("lane", Integer, primary_key=True),
            Column("offset", BigInteger, primary_key=True),
            Column("key", LargeBinary, nullable=False),
            Column("value", LargeBinary),
            Column("headers", LargeBinary, nullable=False),
            Column("error", Text, nullable=False),
        ),
    )
