"""Change data capture: a shop that writes to PostgreSQL alone, and a process that follows the database's own log.

What it follows is what PostgreSQL's plug-in ``pgoutput`` makes of that log, as Debezium does. Both are to be run by
actors, who may be killed in it.
"""

import struct
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString, NamedTuple

import msgspec
import psycopg
from confluent_kafka import Producer
from psycopg.sql import SQL, Identifier

from eventlab.cluster import LabError
from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.record import Fact

STEPS = ("begun", "inserted", "committed")
RELAYING = ("acknowledged", "noted")
_PATIENCE_SECONDS = 20.0
CURE = "The lab's own can be followed: unset EVENTLAB_SQL."
_PEEK = """
SELECT lsn, data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1',
    'publication_names', %s)
"""


class Place(NamedTuple):
    """Where a shop's orders are: a table of a PostgreSQL, whose publication and replication slot have its ``name``."""

    url: str
    name: str

    def connect(self) -> "psycopg.Connection[Any]":
        """In autocommit, so that transactions begin and end where the program says so."""
        timeout = f"-c statement_timeout={round(1e3 * _PATIENCE_SECONDS)}"
        return psycopg.connect(self.url, autocommit=True, options=timeout)


@contextmanager
def place(url: str) -> Iterator[Place]:
    """An empty one in the PostgreSQL at ``url``, removed afterwards. Raises LabError if its log cannot be followed."""
    made = Place(url, f"eventlab_orders_{uuid.uuid4().hex[:8]}")
    try:
        with made.connect() as database:
            _tell(database, "CREATE TABLE {} (id text PRIMARY KEY, fact text)", made.name)
            _tell(database, "CREATE PUBLICATION {0} FOR TABLE {0} WITH (publish = 'insert')", made.name)
            database.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (made.name,))
    except psycopg.Error as error:
        with suppress(psycopg.Error):
            _remove(made)
        why = " ".join(str(error).split())
        raise LabError(f"PostgreSQL does not let you follow its log ({why}). {CURE}") from error
    try:
        yield made
    finally:
        _remove(made)


def _remove(made: Place) -> None:
    with made.connect() as database:
        database.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (made.name,)
        )
        _tell(database, "DROP PUBLICATION IF EXISTS {}", made.name)
        _tell(database, "DROP TABLE IF EXISTS {}", made.name)


def _tell(database: "psycopg.Connection[Any]", statement: LiteralString, name: str) -> None:
    database.execute(SQL(statement).format(Identifier(name)))


def stored(where: Place) -> list[str]:
    """The orders that are in its table."""
    with where.connect() as database:
        found = database.execute(SQL("SELECT id FROM {} ORDER BY id").format(Identifier(where.name)))
        return [id_ for (id_,) in found]


def shop(tell: Tell, *, orders: Sequence[str], url: str, name: str) -> None:
    """Take ``orders``, facts as JSON, one after the other; each is a row. It stands still at each of :data:`STEPS`."""
    insert = SQL("INSERT INTO {} (id, fact) VALUES (%s, %s)").format(Identifier(name))
    with Place(url, name).connect() as database:
        for order in orders:
            fact = Fact(**msgspec.json.decode(order))
            database.execute("BEGIN")
            tell("begun")
            database.execute(insert, (fact.key, order))
            tell("inserted")
            database.execute("COMMIT")
            tell("committed")


def relay(tell: Tell, *, url: str, name: str, topic: str, config: Mapping[str, Any]) -> None:
    """Send each row that was committed, until there is no other; what is acknowledged, the slot need not keep.

    It stands still at each of :data:`RELAYING`.
    """
    producer = Producer(dict(config))
    producer.list_topics(topic, timeout=_PATIENCE_SECONDS)  # else librdkafka waits half a second for its producer id
    with Place(url, name).connect() as database:
        while changes := database.execute(_PEEK, (name, name)).fetchall():
            for _, data in changes:
                if data.startswith(b"I"):
                    id_, fact = inserted(data)
                    producer.produce(topic, fact, id_)
            if producer.flush(_PATIENCE_SECONDS):
                raise RuntimeError("the orders were not acknowledged")
            tell("acknowledged")
            database.execute("SELECT pg_replication_slot_advance(%s, %s::pg_lsn)", (name, changes[-1][0]))
            tell("noted")


def inserted(data: bytes) -> list[bytes]:
    """The columns of an Insert message of ``pgoutput`` in the order of the table, as text.

    https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
    """
    _, _, _, columns = struct.unpack_from("!cIcH", data)
    values, at = [], struct.calcsize("!cIcH")
    for _ in range(columns):
        _, length = struct.unpack_from("!cI", data, at)
        at += struct.calcsize("!cI") + length
        values.append(data[at - length : at])
    return values
