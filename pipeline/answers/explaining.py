"""Where a number comes from: the statements that answered, their tables, and the lines behind it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlencode

from psycopg import ClientCursor, Connection, Cursor, ServerCursor
from psycopg.rows import TupleRow

from pipeline.answers.measures import MEASURES

_recorded: ContextVar[list[str] | None] = ContextVar("recorded", default=None)
# Not what stands in a text.
_TABLE = re.compile(r"""(?<!')"?\b(core|marts)"?\."?(\w+)""")


class ExplainedCursor(Cursor[TupleRow]):
    """A cursor whose statements can be shown to who asked."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute, and keep the statement while they are recorded."""
        _record(self.connection, query, params)
        return super().execute(query, params, **options)


class ExplainedServerCursor(ServerCursor[TupleRow]):
    """The same for rows that are read while they are sent."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute, and keep the statement while they are recorded."""
        _record(self.connection, query, params)
        return super().execute(query, params, **options)


def _record(connection: Connection[Any], query: Any, params: Any) -> None:
    statements = _recorded.get()
    if statements is not None:
        statements.append(ClientCursor(connection).mogrify(query, params))


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The statements that are executed meanwhile, as SQL with its values in place."""
    statements: list[str] = []
    token = _recorded.set(statements)
    try:
        yield statements
    finally:
        _recorded.reset(token)


def explanation(
    statements: Sequence[str], rows: Sequence[Mapping[str, Any]], lines: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What ``explain=true`` adds to an answer's meta; ``lines`` is the query for the lines behind it."""
    tables = {".".join(found) for statement in statements for found in _TABLE.findall(statement)}
    names = set(rows[0]) if rows else set()
    return {
        "measures": [
            {"name": measure.name, "words": measure.words, "formula": measure.formula}
            for measure in MEASURES
            if measure.name in names
        ],
        "tables": sorted(tables),
        "statements": [" ".join(statement.split()) for statement in statements],
        "lines": None if lines is None else f"/api/v1/orders?{urlencode(lines, doseq=True)}",
    }
