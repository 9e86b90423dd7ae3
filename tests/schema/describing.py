"""The published tables in words: those of the dbt project's yml."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.schema.reading import Column, Table


@dataclass(frozen=True)
class Words:
    """What the yml says of a table, and of its columns by name."""

    table: str
    columns: Mapping[str, str]


def words(manifest: Mapping[str, Any]) -> dict[str, Words]:
    """What is said of every published table, by its name: of models, and of the record of builds."""
    found = {
        node["config"]["meta"]["publish"]["to"]: node
        for node in manifest["nodes"].values()
        if "publish" in node["config"].get("meta", {})
    }
    found |= {
        f"{node['schema']}.{node['name']}": node
        for node in manifest["sources"].values()
        if node["source_name"] == "record"
    }
    return {
        name: Words(
            node["description"],
            {column["name"]: column["description"] for column in node["columns"].values()},
        )
        for name, node in found.items()
    }


def as_said(tables: Iterable[Table], said: Mapping[str, Words]) -> list[Table]:
    """The tables with their columns in the yml's order: Postgres has them by width, to save space."""
    return [_as_said(table, list(said[table.full_name].columns)) for table in tables]


def dictionary(tables: Iterable[Table], said: Mapping[str, Words]) -> str:
    """Every table with its grain, its key, what it refers to, and every column."""
    return "\n\n".join(_described(table, said[table.full_name]) for table in tables) + "\n"


def _as_said(table: Table, order: list[str]) -> Table:
    return replace(table, columns=tuple(sorted(table.columns, key=lambda column: order.index(column.name))))


def _described(table: Table, said: Words) -> str:
    rows = [_row(column, said.columns[column.name]) for column in table.columns]
    return "\n".join(
        [
            f"### {table.full_name}\n",
            " ".join([said.table, *_keys(table)]) + "\n",
            "| column | type | meaning |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


def _keys(table: Table) -> list[str]:
    refers = "; ".join(f"{_listed(key.columns)} to {key.to}" for key in table.foreign_keys)
    return [
        *([f"Key: {_listed(table.key)}."] if table.key else []),
        *([f"Refers by {refers}."] if refers else []),
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(column: Column, meaning: str) -> str:
    cells = (f"`{column.name}`", column.type, meaning.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |"
