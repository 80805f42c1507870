"""One counter of the bank: an account as a row and as a stream, and what a writer needs to change it."""

from functools import cached_property
from typing import Any

import redis
from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Select,
    Table,
    Text,
    Update,
    create_engine,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateSchema, DropSchema

from eventlab.events.envelope import StreamId
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly

# Far longer than a deposit: whoever loses the lock by its end was stopped.
_LEASE_SECONDS = 10.0


class Teller:
    """Pays in to one account, ``name``, in SQLite or PostgreSQL at ``url``. Each writer has a teller of its own.

    ``schema``: one of its own, PostgreSQL only. ``lease``: how many seconds a lock in the Redis at ``redis_url`` lasts.
    """

    def __init__(
        self,
        url: str,
        name: str,
        schema: str | None = None,
        redis_url: str | None = None,
        lease: float = _LEASE_SECONDS,
    ) -> None:
        self.lease = lease
        self.account = StreamId("account", name)
        self.key = f"eventlab:{name}"  # what the lock is called
        self._url, self._schema, self._redis_url = url, schema, redis_url
        self.table = Table(
            "balances",
            MetaData(schema=schema),
            Column("account", Text, primary_key=True),
            Column("minor", BigInteger, nullable=False),
            Column("version", BigInteger, nullable=False),
            Column("fence", BigInteger, nullable=False),
        )
        options: dict[str, Any] = {}
        if self.on_postgres:
            # The isolation is PostgreSQL's default, unless somebody changed it. The name says whose connection it is.
            options = {"isolation_level": "READ COMMITTED", "connect_args": {"application_name": self.key}}
        self.engine = create_engine(url, **options)

    @property
    def on_postgres(self) -> bool:
        """Whether this is PostgreSQL; else it is SQLite."""
        return make_url(self._url).get_backend_name() == "postgresql"

    @cached_property
    def store(self) -> SqlEventStore:
        """The account's events, beside the row."""
        return SqlEventStore(self._url, schema=self._schema)

    @cached_property
    def redis(self) -> "redis.Redis":
        """Where locks are kept that the database does not know. Raises ValueError without a Redis."""
        if self._redis_url is None:
            raise ValueError("this way of locking needs a Redis: give its URL, eventlab.cluster.redis.url()")
        return redis.Redis.from_url(self._redis_url)

    @property
    def read(self) -> Select[int]:
        """The statement that reads the balance, in cents."""
        return select(self.table.c.minor).where(self._is_mine)

    @property
    def write(self) -> Update:
        """The statement that changes the row; its new values are to be added."""
        return update(self.table).where(self._is_mine)

    @property
    def _is_mine(self) -> Any:
        return self.table.c.account == str(self.account)

    def open(self) -> None:
        """Make schema, table and row: a balance of zero. Raises Unavailable when the database does not let it."""
        with told_plainly(make_url(self._url).render_as_string()), self.engine.begin() as connection:
            if self._schema:
                connection.execute(CreateSchema(self._schema, if_not_exists=True))
            self.table.create(connection)
            connection.execute(insert(self.table).values(account=str(self.account), minor=0, version=0, fence=0))

    def balance(self) -> int:
        """What the row says, in cents."""
        with self.engine.connect() as connection:
            return connection.execute(self.read).scalar_one()

    def waiting(self) -> int:
        """How many connections of this account's tellers wait for a lock in PostgreSQL now."""
        if not self.on_postgres:
            return 0
        question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = :name"
        with self.engine.connect() as connection:
            return int(connection.execute(text(question), {"name": self.key}).scalar_one())

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()
        if "store" in self.__dict__:
            self.store.close()
        if "redis" in self.__dict__:
            self.redis.close()

    def remove(self) -> None:
        """Remove all that :meth:`open` made, and the locks; then close."""
        with self.engine.begin() as connection:
            if self._schema:
                connection.execute(DropSchema(self._schema, cascade=True))
            else:
                self.table.drop(connection)
        if self._redis_url:
            self.redis.delete(self.key, f"{self.key}:fence")
        self.close()
