"""The published schema as a warehouse has it: tables, keys, relations."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Inspector, create_engine, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.pool import NullPool

from pipeline.warehouse.connect import connect

SCHEMAS = ("core", "marts")


@dataclass(frozen=True)
class Column:
    """One column; its type is spelled as Postgres does."""

    name: str
    type: str
    is_nullable: bool


@dataclass(frozen=True)
class ForeignKey:
    """Columns that refer to the key of another table, named with its schema."""

    columns: tuple[str, ...]
    to: str


@dataclass(frozen=True)
class Table:
    """A published table, or a view, which has no keys."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    is_view: bool

    @property
    def full_name(self) -> str:
        """The name with the schema."""
        return f"{self.schema}.{self.name}"

    def may_lack(self, key: ForeignKey) -> bool:
        """Whether a row may refer to nothing."""
        return any(column.is_nullable for column in self.columns if column.name in key.columns)


def read_schema(url: str) -> list[Table]:
    """The tables and views that readers see, by name."""
    with _inspector(url) as inspector:
        return [
            _table(inspector, schema, name, is_view=is_view)
            for schema in SCHEMAS
            for is_view, names in (
                (False, inspector.get_table_names(schema)),
                (True, inspector.get_view_names(schema)),
            )
            for name in sorted(names)
        ]


@contextmanager
def _inspector(url: str) -> Iterator[Inspector]:
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        yield inspect(connection)


def _table(inspector: Inspector, schema: str, name: str, *, is_view: bool) -> Table:
    keys = [
        ForeignKey(tuple(key["constrained_columns"]), f"{key['referred_schema']}.{key['referred_table']}")
        for key in inspector.get_foreign_keys(name, schema)
        # What readers do not see is not shown.
        if key["referred_schema"] in SCHEMAS
    ]
    return Table(
        schema=schema,
        name=name,
        columns=tuple(_column(inspector, column) for column in inspector.get_columns(name, schema)),
        key=tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"]),
        foreign_keys=tuple(sorted(keys, key=lambda key: key.columns)),
        is_view=is_view,
    )


def _column(inspector: Inspector, column: ReflectedColumn) -> Column:
    spelled = column["type"].compile(dialect=inspector.dialect).lower()
    return Column(column["name"], spelled, is_nullable=column["nullable"])
