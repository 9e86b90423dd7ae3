"""Rows that are read from the database while they are taken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from psycopg import Connection, Cursor, sql
from psycopg.abc import Buffer

Row = dict[str, Any]
FETCH_ROWS = 5_000
# A file may take longer than an answer; but who has asked and gone is noticed only when rows are sent.
_FILE_SECONDS = 600


@dataclass(frozen=True)
class Flat:
    """Statements for files that Postgres writes by itself.

    Attributes:
        rows: the rows in order; its columns have the exact values, under the names of the file's columns.
        count: makes the statement that counts the rows, no further than its argument.
        digits: the currency's minor digits.
    """

    rows: sql.Composed
    count: Callable[[int], sql.Composed]
    digits: int


class Streamed:
    """The rows of a statement, read as they are iterated over, once, in the connection's transaction."""

    def __init__(
        self,
        connection: Connection,
        statement: sql.SQL | sql.Composed,
        make_row: Callable[[tuple[Any, ...]], Row],
        parameters: Any = None,
        flat: Flat | None = None,
    ) -> None:
        self._connection, self._make_row = connection, make_row
        self.flat = flat
        self._name = f"rows_{uuid4().hex}"
        # All rows will be read: a plan that has the first ones soon is of no use. (A plain cursor,
        # for this is no statement that answers.)
        Cursor(connection).execute("set local cursor_tuple_fraction = 1")
        self._cursor = connection.cursor(self._name, scrollable=True)
        self._cursor.itersize = FETCH_ROWS
        self._cursor.execute(statement, parameters)

    def mapped(self, change: Callable[[Row], Row]) -> "Streamed":
        """These rows, each changed while it is read."""
        make_row = self._make_row
        self._make_row = lambda values: change(make_row(values))
        return self

    def has_more_than(self, count: int) -> bool:
        """Whether there are more rows than ``count``; nothing is sent for it."""
        if self.flat is not None:
            counted = self._connection.execute(self.flat.count(count + 1)).fetchone()
            return counted is not None and counted[0] > count
        name = sql.Identifier(self._name)
        moved = self._connection.execute(
            sql.SQL("move forward {} in {}").format(sql.Literal(count + 1), name)
        ).statusmessage
        self._connection.execute(sql.SQL("move absolute 0 in {}").format(name))
        return moved == f"MOVE {count + 1}"

    def __iter__(self) -> Iterator[Row]:
        with self._cursor as cursor:
            for values in cursor:
                yield self._make_row(values)

    def copied(self, statement: sql.Composed) -> Iterator[Buffer]:
        """What ``copy … to stdout`` sends, a row at a time."""
        limit = sql.Literal(f"{_FILE_SECONDS}s")
        self._connection.execute(sql.SQL("set local statement_timeout = {}").format(limit))
        # Postgres makes the text: dates and letters are the file's, whatever the database prefers.
        self._connection.execute("set local datestyle = 'ISO'")
        self._connection.execute("set local client_encoding = 'UTF8'")
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield from copy
