"""The published tables, made from the models' contracts."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable

from pipeline.builds.declarations import Column, ForeignKey, Published

# Less than the second after which Postgres looks for a deadlock, which a reader of two tables makes with us.
_SHORT_WAIT = "set local lock_timeout = '500ms'"


def make_tables(connection: Connection, declarations: Iterable[Published]) -> None:
    """Make the published tables and columns that the contracts have and the database lacks.

    Tables come without keys (``add_primary_key`` and ``add_relations`` make those once the first
    rows are in). Nothing that readers use is touched.
    """
    for item in declarations:
        present = _present_columns(connection, item)
        if not present:
            columns = sql.SQL(", ").join(map(_definition, sorted(item.columns, key=_place)))
            connection.execute(sql.SQL("create table {} ({})").format(item.relation, columns))
        elif missing := [column for column in item.columns if column.name not in present]:
            _alter(connection, item, [sql.SQL("add column {}").format(_bare(column)) for column in missing])


def retire_columns(connection: Connection, declarations: Iterable[Published]) -> None:
    """Drop the columns that the contracts no longer have, and change types as they say.

    Belongs into the transaction of the publish that fills the tables accordingly.
    """
    for item in declarations:
        present = _present_columns(connection, item)
        actions = [
            *(
                sql.SQL("alter column {} type {}").format(sql.Identifier(c.name), _type(c))
                for c in item.columns
                if present.get(c.name, _plain(c)) != _plain(c)
            ),
            *(
                sql.SQL("drop column {}").format(sql.Identifier(name))
                for name in present
                if name not in item.column_names
            ),
        ]
        if actions:
            _alter(connection, item, actions)


def has_primary_key(connection: Connection, item: Published) -> bool:
    """Whether the table has had its keys made, that is, was published to before."""
    found = connection.execute(
        "select 1 from pg_constraint where conrelid = to_regclass(%s) and contype = 'p'", (item.to,)
    ).fetchone()
    return found is not None


def add_primary_key(connection: Connection, item: Published) -> None:
    """Declare the table's key."""
    connection.execute(sql.SQL("alter table {} add primary key ({})").format(item.relation, _names(item.key)))


def renew_key(connection: Connection, item: Published) -> None:
    """Bring the key of a table that was published before to what its model declares now.

    A key that other tables refer to needs a migration instead.
    """
    for index in _present_indexes(connection, item):
        if index.is_primary and index.columns != item.key:
            _alter(connection, item, [sql.SQL("drop constraint {}").format(sql.Identifier(index.name))])
            add_primary_key(connection, item)


def add_relations(connection: Connection, item: Published) -> None:
    """Make the table's indexes and foreign keys; the tables they refer to have theirs."""
    for columns in item.indexes:
        _add_index(connection, item, columns)
    for foreign_key in item.foreign_keys:
        _add_foreign_key(connection, item, foreign_key)


def renew_relations(connection: Connection, items: Sequence[Published]) -> None:
    """Bring tables that were published before to the foreign keys, indexes and not-nulls of their models.

    A table that a migration filled has few of them, one whose model changed has those of before.
    Readers wait from the first index that is dropped, or the first column that is required, on.
    """
    for item in items:
        _renew_foreign_keys(connection, item)
    for item in items:
        _renew_indexes(connection, item)
    for item in items:
        _require_columns(connection, item)


@dataclass(frozen=True)
class _Index:
    name: str
    columns: tuple[str, ...]
    is_primary: bool
    leaves_nulls_out: bool


def _renew_foreign_keys(connection: Connection, item: Published) -> None:
    """Make those that the table lacks; others may be somebody's own."""
    present = _present_foreign_keys(connection, item)
    for foreign_key in item.foreign_keys:
        if foreign_key not in present:
            _add_foreign_key(connection, item, foreign_key)


def _renew_indexes(connection: Connection, item: Published) -> None:
    """Make the indexes that the model declares now, and drop those that it declared before.

    Ours have the names that Postgres gives; others, and those of expressions, are somebody's own.
    """
    present = [index for index in _present_indexes(connection, item) if not index.is_primary]
    for columns in item.indexes:
        if not any(_is_declared(index, item) and index.columns == columns for index in present):
            _add_index(connection, item, columns)
    for index in present:
        is_ours = re.fullmatch(rf"{re.escape(item.table)}_\w+_idx\d*", index.name)
        if is_ours and not _is_declared(index, item):
            connection.execute(sql.SQL("drop index {}").format(sql.Identifier(item.schema, index.name)))


def _require_columns(connection: Connection, item: Published) -> None:
    """Forbid nulls where the contract does: a column that was added to a filled table allows them.

    That shuts readers out and waits for those there are; while somebody reads, it is left to the next
    full build. The candidate's own contract forbids the nulls meanwhile.
    """
    nullable = _nullable_columns(connection, item)
    actions: list[sql.Composed] = [
        sql.SQL("alter column {} set not null").format(sql.Identifier(column.name))
        for column in item.columns
        # Ignored columns of equal rows are not written, so they may lack what was added.
        if column.not_null and column.name in nullable and column.name not in item.ignore
    ]
    if actions:
        with suppress(LockNotAvailable), connection.transaction():
            connection.execute(_SHORT_WAIT)
            _alter(connection, item, actions)
            connection.execute("set local lock_timeout to default")


def _add_index(connection: Connection, item: Published, columns: tuple[str, ...]) -> None:
    condition: sql.Composable = sql.SQL("")
    if _may_be_null(item, columns):
        condition = sql.SQL("where {} is not null").format(sql.Identifier(columns[0]))
    connection.execute(
        sql.SQL("create index on {} ({}) {}").format(item.relation, _names(columns), condition)
    )


def _add_foreign_key(connection: Connection, item: Published, foreign_key: ForeignKey) -> None:
    connection.execute(
        sql.SQL("alter table {} add foreign key ({}) references {}").format(
            item.relation, _names(foreign_key.columns), sql.Identifier(*foreign_key.to.split("."))
        )
    )


def _present_foreign_keys(connection: Connection, item: Published) -> set[ForeignKey]:
    rows = connection.execute(
        """
        select
            (
                select array_agg(attname::text order by position)
                from unnest(conkey) with ordinality as keys (number, position)
                inner join pg_attribute on attrelid = conrelid and attnum = keys.number
            ),
            pg_namespace.nspname || '.' || pg_class.relname
        from pg_constraint
        inner join pg_class on pg_class.oid = confrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where conrelid = to_regclass(%s) and contype = 'f'
        """,
        (item.to,),
    )
    return {ForeignKey(tuple(columns), to) for columns, to in rows}


def _is_declared(index: _Index, item: Published) -> bool:
    return index.columns in item.indexes and index.leaves_nulls_out == _may_be_null(item, index.columns)


def _may_be_null(item: Published, columns: tuple[str, ...]) -> bool:
    """Whether an index of the columns has rows that nobody looks for: most lines name no store."""
    return len(columns) == 1 and any(
        column.name == columns[0] and not column.not_null for column in item.columns
    )


def _present_indexes(connection: Connection, item: Published) -> list[_Index]:
    rows = connection.execute(
        """
        select
            relname, keys.columns, indisprimary, indpred is not null
        from pg_index
        inner join pg_class on pg_class.oid = indexrelid
        cross join lateral (
            select array_agg(attname::text order by position) as columns
            from unnest(indkey) with ordinality as keys (number, position)
            inner join pg_attribute on attrelid = indrelid and attnum = keys.number
        ) as keys
        where
            indrelid = to_regclass(%s) and indexprs is null
            and (
                indpred is null
                or pg_get_expr(indpred, indrelid) = format('(%%I IS NOT NULL)', keys.columns[1])
            )
            and (indisprimary or not indisunique)
        """,
        (item.to,),
    ).fetchall()
    return [
        _Index(name, tuple(columns), is_primary, is_partial) for name, columns, is_primary, is_partial in rows
    ]


def _alter(connection: Connection, item: Published, actions: list[sql.Composed]) -> None:
    connection.execute(sql.SQL("alter table {} {}").format(item.relation, sql.SQL(", ").join(actions)))


def _present_columns(connection: Connection, item: Published) -> dict[str, str]:
    rows = connection.execute(
        """
        select attname, replace(format_type(atttypid, atttypmod), ' ', '')
        from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
        """,
        (item.to,),
    )
    return dict(rows.fetchall())


def _nullable_columns(connection: Connection, item: Published) -> set[str]:
    rows = connection.execute(
        """
        select attname from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and not attnotnull
        """,
        (item.to,),
    )
    return {name for (name,) in rows}


def _plain(column: Column) -> str:
    return column.data_type.replace(" ", "")


def _place(column: Column) -> int:
    """Wide fixed columns first: Postgres pads each to its width, so between texts they waste bytes."""
    fixed = ("bigint", "integer", "date", "boolean")
    return fixed.index(column.data_type) if column.data_type in fixed else len(fixed)


def _definition(column: Column) -> sql.Composable:
    return sql.SQL("{} not null").format(_bare(column)) if column.not_null else _bare(column)


def _bare(column: Column) -> sql.Composable:
    # A column added to a filled table starts out null: the publish that fills it forbids that.
    return sql.SQL("{} {}").format(sql.Identifier(column.name), _type(column))


def _type(column: Column) -> sql.Composable:
    # A type from the project's own yml, not from a user.
    return sql.SQL(column.data_type)


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))
