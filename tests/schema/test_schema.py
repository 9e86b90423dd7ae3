"""The pages that show the schema show it as it is, in a warehouse that was just published."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from pipeline.builds.dbt_runner import load_manifest
from pipeline.settings import Settings
from tests.pipeline.builds.conftest import Workbench
from tests.schema import pages
from tests.schema.describing import Words, as_said, words
from tests.schema.drawing import digest, digest_of_pdf, dot, mermaid, pdf, source_of_svg, svg
from tests.schema.reading import Column, ForeignKey, Table, read_schema

RENEW = "run `make schema`"


@pytest.fixture
def tables(workbench: Workbench, said: dict[str, Words]) -> list[Table]:
    """The schema after the first build."""
    workbench.land("Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\nO1,P1,2024-01-01,1,1\n")
    workbench.build()
    return as_said(read_schema(workbench.warehouse.urls.owner), said)


@pytest.fixture(scope="module")
def said(dbt_settings: Settings) -> dict[str, Words]:
    return words(load_manifest(dbt_settings))


def texts_of(picture: str) -> list[str]:
    """Every text in a picture."""
    root = ElementTree.fromstring(picture)
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def shown(tables: list[Table]) -> list[str]:
    """What a picture of these tables has to say."""
    drawn = [table for table in tables if not table.is_view]
    return [
        *dict.fromkeys(table.schema for table in drawn),
        *(table.name for table in drawn),
        *(column.name for table in drawn for column in table.columns),
        *(column.type + " null" * column.is_nullable for table in drawn for column in table.columns),
    ]


def test_the_pages_show_the_schema_that_is_published(tables: list[Table], said: dict[str, Words]) -> None:
    readme = pages.README.read_text(encoding="utf-8")
    assert pages.with_diagram(readme, tables) == readme, RENEW
    dictionary = pages.DICTIONARY.read_text(encoding="utf-8")
    assert pages.with_dictionary(dictionary, tables, said) == dictionary, RENEW


def test_the_pictures_were_made_of_the_schema_that_is_published(tables: list[Table]) -> None:
    assert source_of_svg(pages.SVG.read_text(encoding="utf-8")) == dot(tables), RENEW
    picture = pages.PDF.read_bytes()
    assert picture.startswith(b"%PDF-")
    assert digest_of_pdf(picture) == digest(dot(tables)), RENEW


def test_the_picture_names_every_table_and_column(tables: list[Table]) -> None:
    found = [
        text
        for text in texts_of(pages.SVG.read_text(encoding="utf-8"))
        if not re.fullmatch("(PK|FK| )+", text)
    ]
    assert sorted(found) == sorted(shown(tables))


def test_every_published_table_and_column_is_described(tables: list[Table], said: dict[str, Words]) -> None:
    assert {table.full_name for table in tables} == set(said)
    for table in tables:
        described = said[table.full_name]
        assert described.table.startswith("One row per "), table.full_name
        assert {column.name for column in table.columns} == set(described.columns), table.full_name
        assert all(described.columns.values()), table.full_name


def test_the_tables_have_the_columns_and_keys_that_the_models_declare(
    tables: list[Table], workbench: Workbench
) -> None:
    found = {table.full_name: table for table in tables}
    for item in workbench.declarations:
        table = found[item.to]
        assert [(column.name, column.type, not column.is_nullable) for column in table.columns] == [
            (column.name, column.data_type, column.not_null or column.name in item.key)
            for column in item.columns
        ]
        assert table.key == item.key
        assert {(key.columns, key.to) for key in table.foreign_keys} == {
            (key.columns, key.to) for key in item.foreign_keys
        }


PARENT = Table("core", "dim_a", (Column("id", "text", is_nullable=False),), ("id",), (), is_view=False)
CHILD = Table(
    "marts",
    "b",
    (
        Column("day", "timestamp with time zone", is_nullable=False),
        Column("a_id", "text", is_nullable=True),
        Column("sum", "numeric(38, 12)", is_nullable=False),
    ),
    ("day",),
    (ForeignKey(("a_id",), "core.dim_a"),),
    is_view=False,
)
VIEW = Table("core", "c", (Column("id", "text", is_nullable=True),), (), (), is_view=True)


def test_mermaid_shows_keys_and_whether_a_row_may_refer_to_nothing() -> None:
    assert mermaid([PARENT, CHILD, VIEW]).splitlines() == [
        "erDiagram",
        "    dim_a {",
        "        text id PK",
        "    }",
        "    b {",
        "        timestamp day PK",
        "        text a_id FK",
        "    }",
        '    dim_a |o--o{ b : "a_id"',
    ]


def test_graphviz_draws_what_is_kept_in_the_picture(tool: Callable[[str], str]) -> None:
    tool("dot")
    source = dot([PARENT, CHILD, VIEW])
    picture = svg(source)
    assert source_of_svg(picture) == source
    assert sorted(text for text in texts_of(picture) if text not in ("PK", "FK")) == sorted(
        shown([PARENT, CHILD, VIEW])
    )
    assert digest_of_pdf(pdf(source)) == digest(source)
