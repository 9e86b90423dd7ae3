"""The schema as pictures: Graphviz's language for the documentation, Mermaid's for the README."""

import hashlib
import re
import subprocess
from collections.abc import Iterable, Sequence
from html import escape, unescape
from itertools import pairwise

from tests.schema.reading import ForeignKey, Table

# Dark enough for white letters (WCAG AA), by what a table is for.
COLORS = {"dimension": "#1f5f8b", "fact": "#8a3b12", "record": "#555555", "mart": "#2b6b3f"}
# How many marts stand in one column of the picture.
MARTS_IN_A_COLUMN = 4

_DIGEST = re.compile(rb"^%% made of ([0-9a-f]{64})$", re.MULTILINE)
_SOURCE = re.compile(r"<metadata>(.*)</metadata>", re.DOTALL)


def kind_of(table: Table) -> str:
    """What a table is for."""
    if table.schema == "marts":
        return "mart"
    return {"dim": "dimension", "fct": "fact"}.get(table.name.split("_")[0], "record")


def mermaid(tables: Iterable[Table]) -> str:
    """The tables with their keys alone, for a page has little room."""
    drawn = [table for table in tables if not table.is_view]
    lines = ["erDiagram"]
    for table in drawn:
        foreign = {name for key in table.foreign_keys for name in key.columns}
        lines.append(f"    {table.name} {{")
        for column in table.columns:
            marks = ["PK"] * (column.name in table.key) + ["FK"] * (column.name in foreign)
            if marks:
                # Mermaid knows no spaces and commas in types.
                kind = re.sub(r"[ (].*", "", column.type)
                lines.append(f"        {kind} {column.name} {', '.join(marks)}")
        lines.append("    }")
    for table in drawn:
        for key in table.foreign_keys:
            parent = "|o" if table.may_lack(key) else "||"
            names = ", ".join(key.columns)
            lines.append(f'    {key.to.split(".")[1]} {parent}--o{{ {table.name} : "{names}"')
    return "\n".join(lines)


def dot(tables: Sequence[Table]) -> str:
    """Every table with every column, and a line from each key to what refers to it."""
    drawn = [table for table in tables if not table.is_view]
    lines = [
        "digraph schema {",
        "  graph [rankdir=LR, ranksep=1.1, nodesep=0.25, bgcolor=white, fontname=Helvetica, labeljust=l];",
        "  node [shape=plain, fontname=Helvetica, fontsize=10];",
        '  edge [arrowhead=crow, color="#666666"];',
    ]
    for schema in ("core", "marts"):
        lines += [f"  subgraph cluster_{schema} {{", f'    label="{schema}"; color="#999999"; fontsize=14;']
        lines += [f"    {_name(table)} [label={_label(table)}];" for table in drawn if table.schema == schema]
        lines.append("  }")
    lines += [_edge(table, key) for table in drawn for key in table.foreign_keys]
    lines += _columns_of_marts([table for table in drawn if table.schema == "marts"])
    return "\n".join([*lines, "}", ""])


def svg(source: str) -> str:
    """The drawn picture, which keeps what it was made of."""
    drawn = _run_dot(source, "svg").decode("utf-8")
    return drawn.replace("</svg>", f"<metadata>{escape(source)}</metadata>\n</svg>")


def pdf(source: str) -> bytes:
    """The same to print; its last line, a comment, has the SHA-256 of what it was made of."""
    return _run_dot(source, "pdf") + f"%% made of {digest(source)}\n".encode()


def source_of_svg(picture: str) -> str:
    """What such a picture was made of."""
    found = _SOURCE.search(picture)
    return unescape(found[1]) if found else ""


def digest_of_pdf(picture: bytes) -> str:
    """The SHA-256 of what such a picture was made of."""
    found = _DIGEST.search(picture)
    return found[1].decode() if found else ""


def digest(source: str) -> str:
    """The SHA-256 of a picture's source."""
    return hashlib.sha256(source.encode()).hexdigest()


def _run_dot(source: str, format: str) -> bytes:
    return subprocess.run(
        ["dot", f"-T{format}"], input=source.encode(), capture_output=True, check=True
    ).stdout  # fmt: skip


def _name(table: Table) -> str:
    return f'"{table.full_name}"'


def _label(table: Table) -> str:
    """A table of Graphviz's own: a heading, then a row for each column."""
    foreign = {name for key in table.foreign_keys for name in key.columns}
    heading = f'<font color="white"><b>{table.name}</b></font>'
    rows = [f'<tr><td colspan="3" bgcolor="{COLORS[kind_of(table)]}">{heading}</td></tr>']
    for column in table.columns:
        marks = " ".join(["PK"] * (column.name in table.key) + ["FK"] * (column.name in foreign))
        name = f"<b>{column.name}</b>" if column.name in table.key else column.name
        null = " null" if column.is_nullable else ""
        rows.append(
            f'<tr><td port="{column.name}" align="left">{name}</td>'
            f'<td align="left">{column.type}{null}</td><td align="left">{marks}</td></tr>'
        )
    return f'<<table border="1" cellborder="0" cellspacing="0" cellpadding="2">{"".join(rows)}</table>>'


def _edge(table: Table, key: ForeignKey) -> str:
    style = " [style=dashed]" if table.may_lack(key) else ""
    return f'  "{key.to}" -> {_name(table)}:{key.columns[0]}{style};'


def _columns_of_marts(marts: Sequence[Table]) -> list[str]:
    """Invisible lines that put the marts beside each other, not all into one high column."""
    groups = [marts[start : start + MARTS_IN_A_COLUMN] for start in range(0, len(marts), MARTS_IN_A_COLUMN)]
    return [
        f"  {_name(left)} -> {_name(right)} [style=invis];"
        for before, after in pairwise(groups)
        for left, right in zip(before, after, strict=False)
    ]
