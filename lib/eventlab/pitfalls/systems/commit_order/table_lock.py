"""Table lock: an append locks the table against other appends before it draws its position. Readers stay as they are.

Released at the end of the transaction, after its rows are visible. Conflicts with autovacuum, which is cancelled for
it, and with everything else that wants to write to the table.
"""

from sqlalchemy import Connection, text

_LOCK = text("LOCK TABLE events IN EXCLUSIVE MODE")  # against all that write, not against SELECT


def lock_table(connection: Connection, category: str) -> None:
    """Wait until no other append is under way."""
    connection.execute(_LOCK)
