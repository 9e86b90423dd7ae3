"""Hypothesis strategies of order lines and dialects, and the reading of what was written."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from pipeline.landing.checker import BatchChecker, CheckedChunk
from pipeline.landing.opening import open_order_lines
from pipeline.landing.quarantine import QuarantinedRow
from pipeline.sources import SourceSettings
from tests.pipeline.landing.dialects import Dialect, Line

ONE_BYTE = ("cp1250", "cp1252", "iso8859-1", "iso8859-15", "mac-roman")
UNICODE = ("utf-8", "utf-16-le", "utf-16-be")
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%Y%m%d", "%d %b %Y", "%B %d, %Y", "%d-%m-%y")
PREAMBLES = ((), ("Sales report", "from 1 Jan, to 31 Jan", ""), ('The "best; shop', '"not closed'))
# What quotes are for.
SPECIAL = "\",;\t|\\'\n\r \u00a0"


def texts(codec: str, min_size: int = 0) -> st.SearchStrategy[str]:
    """Trimmed text of letters that the encoding has, and of what needs quotes."""
    letters = st.characters(codec=codec, exclude_categories=("Cc", "Cn", "Co", "Cs"))
    special = st.sampled_from([character for character in SPECIAL if _has(codec, character)])
    found = st.text(letters | special, min_size=min_size, max_size=8).map(str.strip)
    return found.filter(bool) if min_size else found


def lines(codec: str) -> st.SearchStrategy[Line]:
    """Any order line that meets the contract."""
    return st.builds(
        Line,
        order_id=texts(codec, 1),
        product_id=texts(codec, 1),
        name=texts(codec),
        region=texts(codec),
        day=st.dates(date(1970, 1, 1), date(2060, 12, 31)),
        quantity=st.integers(-999_999, 999_999).filter(bool),
        price=st.builds(_decimal, st.integers(0, 10**9), st.integers(0, 6)),
        discount=st.builds(_decimal, st.integers(0, 1000), st.just(3)),
        note=texts(codec),
    )


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    """Any dialect of text that is supported."""
    encoding = draw(st.sampled_from([*ONE_BYTE, *UNICODE]))
    is_unicode = encoding in UNICODE
    decimal_mark = draw(st.sampled_from([".", ","]))
    return Dialect(
        encoding=encoding,
        mark=is_unicode and draw(st.booleans()),
        # Which encoding of one byte a character it is can only be guessed.
        declared=not is_unicode or draw(st.booleans()),
        delimiter=draw(st.sampled_from([",", ";", "\t", "|"])),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quotes_all=draw(st.booleans()),
        escape=draw(st.sampled_from([None, "\\"])),
        decimal_mark=decimal_mark,
        thousands_mark=draw(st.sampled_from([None, *({",", ".", " ", "'"} - {decimal_mark})])),
        date_format=draw(st.sampled_from(DATE_FORMATS)),
        percent=draw(st.booleans()),
        preamble=draw(st.sampled_from(PREAMBLES)),
        blank_lines=draw(st.booleans()),
        last_line_ends=draw(st.booleans()),
        packing=draw(st.sampled_from(["none", "none", "gzip", "zstandard", "zip", "zip of several"])),
    )


def codec_of(dialect: Dialect) -> str:
    """The letters that a file of the dialect may have."""
    # Without a mark UTF-16 is known by the zero bytes of its western letters.
    is_found_out = dialect.encoding.startswith("utf-16") and not dialect.mark
    return "iso8859-1" if is_found_out else dialect.encoding.removesuffix("-le").removesuffix("-be")


@dataclass(frozen=True)
class ReadBack:
    """What became of a file's rows, by row number."""

    accepted: dict[int, Line]
    quarantined: dict[int, QuarantinedRow]

    @property
    def lines(self) -> list[Line]:
        """The accepted rows in the file's order."""
        return list(self.accepted.values())


def read_back(path: Path, settings: SourceSettings, block_bytes: int) -> ReadBack:
    """Read and check a file, whose accounts must balance."""
    back = ReadBack({}, {})
    names: dict[int, str] = {}
    with open_order_lines(path, settings, block_bytes) as file:
        checker = BatchChecker(file.columns, settings)
        for checked in map(checker.check, file.chunks()):
            names |= dict(
                checked.table("products").select("product_key", pl.col("product_name").fill_null("")).rows()
            )
            accepted = _accepted(checked, names)
            assert checked.tally.rows_read == len(accepted) + len(checked.quarantine)
            back.accepted.update(accepted)
            back.quarantined.update({row.row_number: row for row in checked.quarantine})
    return back


def _accepted(checked: CheckedChunk, names: dict[int, str]) -> dict[int, Line]:
    return {
        row["row_number"]: Line(
            order_id=row["order_id"],
            product_id=row["product_id"],
            name=names[row["product_key"]],
            region=row["region"],
            day=row["sale_day"],
            quantity=row["quantity_number"],
            price=Decimal(row["unit_price"]),
            discount=Decimal(row["discount"]),
            note=json.loads(row["extra"] or "{}").get("Note", ""),
        )
        for row in checked.table("order_lines").iter_rows(named=True)
    }


def _decimal(digits: int, places: int) -> Decimal:
    return Decimal(digits).scaleb(-places)


def _has(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
