"""The cells of a spreadsheet that hold an error, as ``#N/A``.

The library that reads the values leaves such cells empty, and empty means 0 for a discount.
"""

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from pipeline.landing.errors import FileRefused
from pipeline.landing.packing import DAMAGES

_PIECE_BYTES = 4 * 1024 * 1024
_CARRIED_BYTES = 1024 * 1024
_PART_BYTES = 16 * 1024 * 1024
_KEPT = 1_000_000
# The library lays a sheet out as a full rectangle: one cell far out would take all memory.
CELLS = 50_000_000
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>'
    rb"(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]{1,40})<"
)
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="([0-9]{1,7})"')
_CELL_FAR_RIGHT = re.compile(rb'\br="([A-Z]{2,3})([0-9]{1,7})"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# (row, column) of a cell, both from 1.
Cell = tuple[int, int]


def error_cells(path: Path) -> dict[Cell, str]:
    """What the first sheet's cells with errors show.

    Raises:
        FileRefused: the sheet is damaged, too large a rectangle, or has more errors than anybody could mean.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_first_sheet(archive)) as sheet:
            found: dict[Cell, str] = {}
            rows = columns = 1
            rest = b""
            while piece := sheet.read(_PIECE_BYTES):
                data = rest + piece
                cut = max(data.rfind(b"</row>"), data.rfind(b":row>"), len(data) - _CARRIED_BYTES, 0)
                found.update(_in(data[:cut]))
                rows, columns = _extent(data, rows, columns)
                _require_moderate(rows, columns)
                rest = data[cut:]
                if len(found) > _KEPT:
                    raise FileRefused(f"the sheet has more than {_KEPT:,} cells with errors; repair it")
            found.update(_in(rest))
            return found
    except (*DAMAGES, KeyError, StopIteration, ElementTree.ParseError) as error:
        raise FileRefused(f"the spreadsheet is damaged or cut short ({error}); send it again") from error


def _in(data: bytes) -> dict[Cell, str]:
    if b't="e"' not in data:
        return {}
    return {
        (int(row), _column(letters)): value.decode("ascii", "replace")
        for letters, row, value in _ERROR_CELL.findall(data)
    }


def _extent(data: bytes, rows: int, columns: int) -> Cell:
    """The last row and column so far; columns up to Z are not looked at one by one."""
    far_right = set(_CELL_FAR_RIGHT.findall(data))
    last_row = max(map(int, _ROW.findall(data)), default=0)
    return (
        max(rows, last_row, *(int(row) for _, row in far_right)),
        max(columns, *(_column(letters) for letters, _ in far_right), 0),
    )


def _require_moderate(rows: int, columns: int) -> None:
    if rows * columns > CELLS:
        raise FileRefused(
            f"the sheet spans {rows:,} rows and {columns:,} columns, more than {CELLS:,} cells; delete what "
            "stands far below or to the right of the table, or send it as CSV"
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The archive's member that is the workbook's first sheet."""
    book = _parsed(archive, "xl/workbook.xml")
    sheet = next(element for element in book.iter() if element.tag.endswith("}sheet"))
    relations = _parsed(archive, "xl/_rels/workbook.xml.rels")
    target = next(
        relation.attrib["Target"] for relation in relations if relation.get("Id") == sheet.get(_RELATION)
    )
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _parsed(archive: zipfile.ZipFile, member: str) -> ElementTree.Element:
    with archive.open(member) as part:
        return ElementTree.fromstring(part.read(_PART_BYTES))
