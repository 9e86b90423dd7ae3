"""How each published model publishes, as its yml declares it (``meta: publish``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from psycopg import sql

CANDIDATE = "candidate"
SCOPE_ALL = "all"


@dataclass(frozen=True)
class Column:
    """One column of a model's contract."""

    name: str
    data_type: str
    not_null: bool

    @property
    def is_amount(self) -> bool:
        """Whether it is measured rather than looked for."""
        return self.data_type.startswith("numeric")


@dataclass(frozen=True)
class ForeignKey:
    """Columns that refer to another published table's key."""

    columns: tuple[str, ...]
    to: str


@dataclass(frozen=True)
class Published:
    """One model and the table that it is published to.

    ``scope`` names the model that lists the touched keys, or is ``all``; ``ignore`` names the
    columns that do not make two rows differ.
    """

    model: str
    to: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    scope: str
    indexes: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]
    ignore: tuple[str, ...]

    @property
    def schema(self) -> str:
        """The published table's schema."""
        return self.to.split(".")[0]

    @property
    def table(self) -> str:
        """The published table's name within its schema."""
        return self.to.split(".")[1]

    @property
    def relation(self) -> sql.Identifier:
        """The published table."""
        return sql.Identifier(self.schema, self.table)

    @property
    def candidate(self) -> sql.Identifier:
        """The model's relation in the candidate."""
        return sql.Identifier(CANDIDATE, self.model)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in the contract's order."""
        return tuple(column.name for column in self.columns)

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that make two rows of one key differ."""
        return tuple(name for name in self.column_names if name not in self.key + self.ignore)


def read_declarations(manifest: Mapping[str, Any]) -> tuple[Published, ...]:
    """Every published model of a dbt manifest, parents before the tables that refer to them."""
    nodes = manifest["nodes"].values()
    published = [_read(node) for node in nodes if "publish" in node["config"].get("meta", {})]
    by_table = {item.to: item for item in published}
    graph = {item.to: sorted({key.to for key in item.foreign_keys}) for item in published}
    return tuple(by_table[table] for table in TopologicalSorter(graph).static_order())


def _read(node: Mapping[str, Any]) -> Published:
    meta = node["config"]["meta"]["publish"]
    return Published(
        model=node["name"],
        to=meta["to"],
        columns=tuple(_column(column) for column in node["columns"].values()),
        key=tuple(meta["key"]),
        scope=meta["scope"],
        indexes=tuple(tuple(index) for index in meta.get("indexes", ())),
        foreign_keys=tuple(
            ForeignKey(tuple(item["columns"]), item["to"]) for item in meta.get("foreign_keys", ())
        ),
        ignore=tuple(meta.get("ignore", ())),
    )


def _column(column: Mapping[str, Any]) -> Column:
    not_null = any(item["type"] == "not_null" for item in column["constraints"])
    return Column(column["name"], column["data_type"], not_null)
