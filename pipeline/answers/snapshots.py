"""Connections that answer from one snapshot."""

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow

from pipeline.answers.explaining import ExplainedCursor, ExplainedServerCursor


def read_only_snapshot(connection: Connection[TupleRow]) -> None:
    """Let every transaction of a connection read from one snapshot, and its statements be shown."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.cursor_factory = ExplainedCursor
    connection.server_cursor_factory = ExplainedServerCursor
