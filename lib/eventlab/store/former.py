"""SQLite files whose ids and times are text, as this library wrote them until November 2026: rewritten when opened.

In one transaction: a program that dies meanwhile has changed nothing, and of several that come at once one rewrites.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from eventlab.store.sqlite import microseconds

# Text comes before bytes, so the index of ids has it in front: where there is none, a look at one page says so.
# A damaged row, whose id has another length, stays as it is: who reads it is told.
_TEXT = "id < x'' AND length(id) = 32"
_FIND = f"SELECT 1 FROM events WHERE {_TEXT} LIMIT 1"
# The columns keep the types that they were made with, CHAR(32) and DATETIME, which change neither bytes nor integers.
_REWRITE = f"""
UPDATE events SET
  id = bytes_of(id), causation = bytes_of(causation), correlation = bytes_of(correlation),
  valid_time = microseconds_of(valid_time), recorded_time = microseconds_of(recorded_time)
WHERE {_TEXT}
"""


def rewrite(engine: Engine) -> None:
    """Give all events their present form, unless they have it. Nothing else of them changes.

    A file of a million events takes 10 seconds. Programs that still run with the library of before are to be closed.
    """
    with engine.connect() as connection:
        if connection.exec_driver_sql(_FIND).first() is None:
            return
        driver: Any = connection.connection.driver_connection
        driver.create_function("bytes_of", 1, _bytes)
        driver.create_function("microseconds_of", 1, _microseconds)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(_REWRITE)
        connection.commit()


def _bytes(id_: object) -> object:
    """Of a hexadecimal id; anything else stays."""
    if isinstance(id_, str):
        with suppress(ValueError):
            return bytes.fromhex(id_)
    return id_


def _microseconds(time: object) -> object:
    """Of a time as text, which is in UTC without saying so; anything else stays."""
    if isinstance(time, str):
        with suppress(ValueError):
            return microseconds(datetime.fromisoformat(time).replace(tzinfo=UTC))
    return time
