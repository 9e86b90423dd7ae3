"""The lock that lets one refresh land and build at a time, whoever asks: Dagster, CLI or API."""

import contextlib
from collections.abc import Callable, Iterator

from psycopg import Connection

from pipeline.warehouse.connect import connect
from pipeline.warehouse.errors import WarehouseError

# Advisory locks are numbers, one space per database. These are ours, fixed for ever.
REFRESH_LOCK = 8_245_001
PREPARE_LOCK = 8_245_002


_LOCK_APPLICATION = "tillhouse-lock"


class RefreshBusy(WarehouseError):
    """Another refresh holds the lock."""


@contextlib.contextmanager
def refresh_lock(
    url: str, *, holder: str = "", wait: bool = True, on_wait: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the refresh lock for the time of the block.

    The lock belongs to a connection of its own, so Postgres frees it when this process dies.
    Waiters get it in the order in which they came.

    Args:
        url: the owner's address.
        holder: who asks; others find out with `lock_askers` that it is alive.
        wait: wait while another holds it.
        on_wait: called once before waiting.

    Raises:
        RefreshBusy: it is taken and `wait` is false.
    """
    name = f"{_LOCK_APPLICATION} {holder}".strip()
    with connect(url, autocommit=True, application_name=name) as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", (REFRESH_LOCK,)).fetchone()
        if row is None or not row[0]:
            if not wait:
                raise RefreshBusy(
                    "another refresh is running: try again when it is done (`tillhouse status`)"
                )
            if on_wait is not None:
                on_wait()
            # Whatever limits the server sets for ordinary statements, waiting here may take long.
            connection.execute("set statement_timeout = 0")
            connection.execute("set lock_timeout = 0")
            connection.execute("select pg_advisory_lock(%s)", (REFRESH_LOCK,))
        yield


def lock_askers(connection: Connection) -> set[str]:
    """The holders, by name, that hold the refresh lock or wait for it: their processes are alive."""
    rows = connection.execute(
        """
        select substr(application_name, length(%(prefix)s) + 2) from pg_stat_activity
        where datname = current_database() and starts_with(application_name, %(prefix)s || ' ')
        """,
        {"prefix": _LOCK_APPLICATION},
    )
    return {row[0] for row in rows.fetchall()}


@contextlib.contextmanager
def named_alive(url: str, holder: str) -> Iterator[None]:
    """Let `lock_askers` find this holder for the time of the block, though it needs no lock."""
    with connect(url, autocommit=True, application_name=f"{_LOCK_APPLICATION} {holder}"):
        yield
