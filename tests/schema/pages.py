"""The pages of the documentation that show the schema, and how they are brought up to date."""

import re
from collections.abc import Mapping, Sequence

from pipeline.settings import PROJECT_ROOT
from tests.schema.describing import Words, dictionary
from tests.schema.drawing import mermaid
from tests.schema.reading import Table

README = PROJECT_ROOT / "README.md"
DICTIONARY = PROJECT_ROOT / "docs" / "data-dictionary.md"
SVG = PROJECT_ROOT / "docs" / "schema.svg"
PDF = PROJECT_ROOT / "docs" / "schema.pdf"

_DIAGRAM = re.compile(r"(?<=^```mermaid\n)erDiagram\n.*?(?=\n```$)", re.MULTILINE | re.DOTALL)
_TABLES = re.compile(r"(?<=^## Published tables\n\n).*?(?=\n## )", re.MULTILINE | re.DOTALL)


def with_diagram(text: str, tables: Sequence[Table]) -> str:
    """The README's text with the diagram of these tables."""
    drawn = mermaid(tables)
    return _DIAGRAM.sub(lambda _: drawn, text)


def with_dictionary(text: str, tables: Sequence[Table], said: Mapping[str, Words]) -> str:
    """The data dictionary's text with these tables."""
    described = dictionary(tables, said)
    return _TABLES.sub(lambda _: described, text)
