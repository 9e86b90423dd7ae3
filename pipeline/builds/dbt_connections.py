"""dbt's connections, kept from one model to the next.

dbt closes a thread's connection after each node and has no setting for it. To open one takes a new server
process and a password exchange, and all that Postgres knows of the tables is read anew: a fifth of dbt's time
in a small build.
"""

from dbt.adapters.base.connections import BaseConnectionManager
from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.postgres.connections import PostgresConnectionManager


def keep_connections() -> None:
    """Have dbt roll back a connection where it would close it; all are closed when its command ends."""
    PostgresConnectionManager.release = _release  # type: ignore[method-assign]


def _release(self: BaseConnectionManager) -> None:
    connection = self.get_if_exists()
    if connection is None or connection.state != ConnectionState.OPEN:
        return
    self.rollback_if_open()
    # A connection that was lost is not kept: the next node opens another.
    if connection.handle.closed:
        BaseConnectionManager.release(self)
