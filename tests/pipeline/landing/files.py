"""Small files of order lines, for tests."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from pipeline.landing.blocks import BLOCK_BYTES
from pipeline.landing.chunks import Chunk
from pipeline.landing.errors import FileRefused
from pipeline.landing.opening import open_order_lines
from pipeline.sources import SourceSettings

SAMPLE = Path(__file__).parents[2] / "data" / "sales_sample.csv"
HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price"
# Where a surplus of commas belongs to the last column.
ADDRESS_HEADER = f"{HEADER},Customer Address"


def csv_file(folder: Path, *rows: str, header: str = HEADER, name: str = "sales.csv") -> Path:
    """A file with these rows under the header."""
    return bytes_file(folder, "".join(f"{line}\n" for line in (header, *rows)).encode(), name=name)


def bytes_file(folder: Path, data: bytes, *, name: str = "sales.csv") -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(data)
    return path


Row = tuple[int, int, tuple[str | None, ...], str]


def rows_of(path: Path, block_bytes: int = BLOCK_BYTES) -> list[Row]:
    """Every row of a file: its line, its damage, its fields, and its text."""
    with open_order_lines(path, SourceSettings(), block_bytes) as file:
        return [row for chunk in file.chunks() for row in chunk_rows(chunk)]


def fields_of(path: Path) -> list[tuple[int, int, tuple[str | None, ...]]]:
    """Every row of a file without its text."""
    return [row[:3] for row in rows_of(path)]


def refusal_of(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(FileRefused) as caught:
        rows_of(path)
    return str(caught.value)


def chunk_rows(chunk: Chunk) -> Iterable[Row]:
    """The rows of one chunk."""
    texts = chunk.raw_text(range(chunk.text.height))
    fields = pl.DataFrame(chunk.text).rows()
    return zip(chunk.row_number.tolist(), chunk.damage.tolist(), fields, texts, strict=True)
