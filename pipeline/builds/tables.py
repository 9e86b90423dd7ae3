"""The published tables, made from the models' contracts."""

from collections.abc import Iterable

from psycopg import Connection, sql

from pipeline.builds.declarations import Column, Published


def align_tables(connection: Connection, declarations: Iterable[Published]) -> bool:
    """Make the published tables have the contracts' columns.

    Missing tables are created without keys (``add_constraints`` makes those once the first
    rows are in). A changed contract adds, retypes or drops columns.

    Returns:
        Whether anything had to change, in which case only a full build fills the tables.
    """
    changes = [_align(connection, item) for item in declarations]
    return any(changes)


def has_primary_key(connection: Connection, item: Published) -> bool:
    """Whether the table has had its keys made, that is, was published to before."""
    found = connection.execute(
        "select 1 from pg_constraint where conrelid = to_regclass(%s) and contype = 'p'", (item.to,)
    ).fetchone()
    return found is not None


def add_primary_key(connection: Connection, item: Published) -> None:
    """Declare the table's key."""
    connection.execute(sql.SQL("alter table {} add primary key ({})").format(item.relation, _names(item.key)))


def add_relations(connection: Connection, item: Published) -> None:
    """Make the table's indexes and foreign keys; the tables they refer to have theirs."""
    for columns in item.indexes:
        connection.execute(sql.SQL("create index on {} ({})").format(item.relation, _names(columns)))
    for foreign_key in item.foreign_keys:
        schema, table = foreign_key.to.split(".")
        connection.execute(
            sql.SQL("alter table {} add foreign key ({}) references {}").format(
                item.relation, _names(foreign_key.columns), sql.Identifier(schema, table)
            )
        )


def _align(connection: Connection, item: Published) -> bool:
    present = _present_columns(connection, item)
    if not present:
        columns = sql.SQL(", ").join(_definition(column) for column in item.columns)
        connection.execute(sql.SQL("create table {} ({})").format(item.relation, columns))
        return True
    actions = [
        *(sql.SQL("add column {}").format(_bare(c)) for c in item.columns if c.name not in present),
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
        connection.execute(sql.SQL("alter table {} {}").format(item.relation, sql.SQL(", ").join(actions)))
    return bool(actions)


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


def _plain(column: Column) -> str:
    return column.data_type.replace(" ", "")


def _definition(column: Column) -> sql.Composable:
    return sql.SQL("{} not null").format(_bare(column)) if column.not_null else _bare(column)


def _bare(column: Column) -> sql.Composable:
    # A column added to a filled table starts out null, so the contract's not-null is left to
    # the candidate, whose own contract enforces it.
    return sql.SQL("{} {}").format(sql.Identifier(column.name), _type(column))


def _type(column: Column) -> sql.Composable:
    # A type from the project's own yml, not from a user.
    return sql.SQL(column.data_type)


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))
