"""The diagrams and the tables of the schema, as the documentation has them.

After a change of a published model: `.venv/bin/python -m tests.schema_page` writes them anew.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.builds.dbt_runner import load_manifest
from pipeline.builds.declarations import Published, read_declarations
from pipeline.settings import PROJECT_ROOT, get_settings

README = PROJECT_ROOT / "README.md"
PAGES = (README, PROJECT_ROOT / "docs" / "schema.md")
_DIAGRAM = re.compile(r"(?<=^```mermaid\n)erDiagram\n.*?(?=\n```$)", re.MULTILINE | re.DOTALL)
_TABLES = re.compile(r"(?<=^## Published tables\n\n).*?(?=\n## )", re.MULTILINE | re.DOTALL)


def renewed(text: str, manifest: Mapping[str, Any]) -> str:
    """A page's text with its diagram and its tables as the models have them now."""
    declarations = sorted(read_declarations(manifest), key=lambda item: item.to)
    drawn = diagram(declarations, keys_only="## Published tables" not in text)
    described = tables(declarations, manifest)
    return _TABLES.sub(lambda _: described, _DIAGRAM.sub(lambda _: drawn, text))


def diagram(declarations: list[Published], *, keys_only: bool) -> str:
    """A mermaid diagram of the published tables (types without their size: mermaid knows no commas)."""
    lines = ["erDiagram"]
    for item in declarations:
        foreign = {name for key in item.foreign_keys for name in key.columns}
        lines.append(f"    {item.table} {{")
        for column in item.columns:
            marks = ["PK"] * (column.name in item.key) + ["FK"] * (column.name in foreign)
            if marks or not keys_only:
                kind = re.sub(r"\(.*", "", column.data_type)
                lines.append(f"        {kind} {column.name} {', '.join(marks)}".rstrip())
        lines.append("    }")
    for item in declarations:
        for key in item.foreign_keys:
            nullable = any(c.name in key.columns and not c.not_null for c in item.columns)
            parent = "|o" if nullable else "||"
            lines.append(
                f'    {key.to.split(".")[1]} {parent}--o{{ {item.table} : "{", ".join(key.columns)}"'
            )
    return "\n".join(lines)


def tables(declarations: list[Published], manifest: Mapping[str, Any]) -> str:
    """Every published table and column, in the words of the models' own yml."""
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    parts = []
    for item in declarations:
        node = nodes[item.model]
        rows = [
            f"| `{column.name}` | {column.data_type} | {node['columns'][column.name]['description']} |"
            for column in item.columns
        ]
        parts.append(
            "\n".join(
                [
                    f"### {item.to}\n",
                    f"{node['description']} Key: {', '.join(f'`{name}`' for name in item.key)}.\n",
                    "| column | type | meaning |",
                    "| --- | --- | --- |",
                    *(row.replace("|quantity|", "\\|quantity\\|") for row in rows),
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(
            renewed(page.read_text(encoding="utf-8"), load_manifest(get_settings())), encoding="utf-8"
        )
