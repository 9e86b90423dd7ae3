"""Columns of a file beyond ours, by which revenue can be grouped and filtered when a source declares them.

They are asked for as ``extra.NAME``. No rollup has them: the lines answer.
"""

from collections.abc import Collection, Iterable

from psycopg import Connection, sql

from pipeline.answers.errors import QueryError

PREFIX = "extra."

_DECLARED = """
    select distinct jsonb_array_elements_text(options -> 'extra') as name
    from core.batches
    where status = 'landed' and feed = 'order_lines' and options ? 'extra'
    order by name
"""


def is_extra(name: str) -> bool:
    """Whether a group or filter is a column that only the file has."""
    return name.startswith(PREFIX)


def expression(name: str) -> sql.Composable:
    """The value of such a column on a line; null where the file left it blank or lacked it."""
    return sql.SQL("lines.extra ->> {}").format(sql.Literal(name.removeprefix(PREFIX)))


def require_declared(connection: Connection, groups: Iterable[str], filters: Collection[str]) -> None:
    """Make sure that some source's landed files declare every one of these columns.

    Raises:
        QueryError: none declares it; names those that are declared.
    """
    asked = [("invalid_parameter", name, "group_by") for name in groups if is_extra(name)]
    asked += [("unknown_parameter", name, name) for name in filters if is_extra(name)]
    if not asked:
        return
    known = [PREFIX + name for (name,) in connection.execute(_DECLARED).fetchall()]
    for code, name, parameter in asked:
        if name not in known:
            there = (
                f"there are {', '.join(known)}" if known else "no source declares any (extra in sources.toml)"
            )
            raise QueryError(code, f"{name[:200]!r} is no declared column: {there}.", parameter[:200])
