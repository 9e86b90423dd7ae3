"""Connections to Postgres: a pool of readers, and one of the service's own role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from pipeline.answers.snapshots import read_only_snapshot
from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls

POOL_SIZE = 8
# A caller is told that Postgres is away after this long.
WAIT_SECONDS = 3.0
# A connection that answered just now is not asked whether it still does.
TRUSTED_SECONDS = 1.0


class _Connection(Connection[TupleRow]):
    """A pool's connection, and when it answered last (of ``time.monotonic``)."""

    answered_at = 0.0


class Database:
    """The two ways into Postgres; nothing is connected before the first request."""

    def __init__(self, settings: Settings, urls: DatabaseUrls) -> None:
        timeout = f"-c statement_timeout={settings.statement_timeout_seconds}s"
        self._readers = _pool(urls.reader, "tillhouse-api-reader", timeout, _configure_reader)
        self._writers = _pool(urls.app, "tillhouse-api", timeout, None)

    @contextmanager
    def snapshot(self) -> Iterator[Connection[TupleRow]]:
        """A reader's connection in one REPEATABLE READ, READ ONLY transaction.

        Raises:
            PoolTimeout: Postgres does not answer.
        """
        with self.reading() as connection, connection.transaction():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection[TupleRow]]:
        """A reader's connection whose statements are transactions of their own: for a single one.

        Raises:
            PoolTimeout: Postgres does not answer.
        """
        _open(self._readers)
        with self._readers.connection() as connection:
            yield connection
            connection.answered_at = time.monotonic()

    @contextmanager
    def writing(self) -> Iterator[Connection[TupleRow]]:
        """A connection that may write the service's own tables, in one transaction.

        Raises:
            PoolTimeout: Postgres does not answer.
        """
        _open(self._writers)
        with self._writers.connection() as connection:
            yield connection
            connection.answered_at = time.monotonic()

    def close(self) -> None:
        """Close every connection."""
        self._readers.close()
        self._writers.close()


def _pool(url: str, name: str, options: str, configure: object) -> ConnectionPool[_Connection]:
    return ConnectionPool(
        url,
        connection_class=_Connection,
        min_size=1,
        max_size=POOL_SIZE,
        open=False,
        name=name,
        timeout=WAIT_SECONDS,
        # Give up soon, so that the next caller after an outage tries anew at once.
        reconnect_timeout=WAIT_SECONDS,
        kwargs={"application_name": name, "options": options, "connect_timeout": 3},
        configure=configure,  # type: ignore[arg-type]
        check=_check,
    )


def _configure_reader(connection: Connection[TupleRow]) -> None:
    read_only_snapshot(connection)
    connection.autocommit = True


def _check(connection: _Connection) -> None:
    if time.monotonic() - connection.answered_at > TRUSTED_SECONDS:
        ConnectionPool.check_connection(connection)


def _open(pool: ConnectionPool[_Connection]) -> None:
    if pool.closed:
        pool.open()
