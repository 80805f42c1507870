"""A database as everything here opens it: the engine, its settings, and who it is in messages."""

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from eventlab.store.driver import check_rested
from eventlab.store.tables import prepare_connection, write_ahead_log
from eventlab.store.trouble import told_plainly


class Database:
    """A database for views whose events are elsewhere, such as in a topic; :class:`SqlEventStore` is one as well.

    ``url`` is SQLAlchemy's: ``sqlite:///path/to/file`` or ``postgresql+psycopg://…``; ``schema`` is PostgreSQL's.
    Raises Unavailable when it cannot be reached, and ValueError for a URL that cannot serve.
    """

    def __init__(self, url: str | URL, schema: str | None = None) -> None:
        checked = check_url(url, schema)
        self.engine, self.schema = open_engine(checked), schema
        if self.engine.dialect.name == "sqlite":
            with told_plainly(checked.render_as_string(hide_password=True)):
                write_ahead_log(self.engine)

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        self.engine.dispose()


def check_url(url: str | URL, schema: str | None) -> URL:
    """Raises ValueError for a URL that cannot serve."""
    try:
        url = make_url(url)
        driver = url.get_dialect()
        dialect = driver.name
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ValueError(f"not the URL of a database that can serve here: {error}") from error
    if dialect not in ("sqlite", "postgresql"):
        raise ValueError(f"the event store runs on SQLite and PostgreSQL, not on {dialect}")
    try:
        driver.import_dbapi()
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the driver of {url.drivername} is not installed ({error}); write sqlite:/// or postgresql+psycopg://"
        ) from error
    if dialect == "sqlite" and (not url.database or ":memory:" in url.database):
        raise ValueError("SQLite in memory is gone with its connection; give a file, or use MemoryEventStore()")
    if dialect == "sqlite" and schema is not None:
        raise ValueError("SQLite has no schemas; use one file for each")
    return url


def open_engine(url: URL) -> Engine:
    """The engine, whose connections are prepared and replaced when they broke while they rested."""
    # With one notation for parameters both databases take the same statements.
    style = {} if url.get_dialect().name == "postgresql" else {"paramstyle": "named"}
    engine = create_engine(url, **style)
    event.listen(engine, "connect", lambda made, _: prepare_connection(made, engine.dialect.name))
    check_rested(engine)
    return engine
