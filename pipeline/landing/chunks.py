"""The rows of one block, as text, and what is wrong with how they are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.blocks import ROW_BYTES
from pipeline.landing.columns import ColumnMap


class Damage(IntFlag):
    """What is wrong with a row before any of its values is looked at."""

    NONE = 0
    ROW_TOO_LONG = 1
    UNCLOSED_QUOTE = 2
    MALFORMED_QUOTES = 4
    STRAY_CARRIAGE_RETURN = 8
    TOO_FEW_FIELDS = 16
    TOO_MANY_FIELDS = 32
    INVALID_UTF8 = 64
    NUL_CHARACTER = 128
    REPEATED_HEADER = 256
    MALFORMED_JSON = 512


@dataclass(frozen=True)
class Shape:
    """What the header says about the rows below it, and how their fields are written."""

    width: int
    joins_surplus: bool
    key_positions: tuple[int, ...]
    delimiter: str = ","
    escape: str | None = None

    @classmethod
    def of(cls, columns: ColumnMap, delimiter: str = ",", escape: str | None = None) -> "Shape":
        """The shape that a file with these columns has."""
        keys = tuple(
            columns.positions[name] for name in ("order_id", "product_id") if name in columns.positions
        )
        return cls(columns.width, columns.joins_surplus, keys, delimiter, escape)

    @property
    def schema(self) -> dict[str, type[pl.String]]:
        """The text columns of a chunk: named by position."""
        return {str(position): pl.String for position in range(self.width)}


@dataclass(frozen=True)
class Chunk:
    """Rows in file order.

    ``text`` holds the fields as they are in the file (untrimmed); null where they could not
    be told. ``raw_text`` gives the file's own text of the rows at the given positions, or, where a
    row is no text in the file, a line of CSV. ``row_number`` says where a row is, counted from 1:
    in CSV and lines of JSON the physical line on which it starts, in a spreadsheet the sheet's row,
    in a list of JSON objects the object, in Parquet the row (there is no line of headers).
    """

    text: pl.DataFrame
    row_number: npt.NDArray[np.int64]
    damage: npt.NDArray[np.uint16]
    raw_text: Callable[[Sequence[int]], list[str]]


def shown(raw: bytes) -> str:
    """A row's bytes as text that Postgres can keep: what is no UTF-8, and NUL, as escapes."""
    text = raw[:ROW_BYTES].removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
    return text.replace("\x00", "\\x00")
