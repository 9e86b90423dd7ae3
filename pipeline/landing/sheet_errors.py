"""The cells of a spreadsheet that hold an error, as ``#N/A``.

The library that reads the values leaves such cells empty, and empty means 0 for a discount.
"""

import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from pipeline.landing.errors import FileRefused

_PIECE_BYTES = 4 * 1024 * 1024
_CARRIED_BYTES = 1024 * 1024
_PART_BYTES = 16 * 1024 * 1024
_KEPT = 1_000_000
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>'
    rb"(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]{1,40})<"
)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# (row, column) of a cell, both from 1.
Cell = tuple[int, int]


def error_cells(path: Path) -> dict[Cell, str]:
    """What the first sheet's cells with errors show.

    Raises:
        FileRefused: the sheet is damaged, or there are more errors than anybody could mean.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_first_sheet(archive)) as sheet:
            found: dict[Cell, str] = {}
            rest = b""
            while piece := sheet.read(_PIECE_BYTES):
                data = rest + piece
                cut = max(data.rfind(b"</row>"), data.rfind(b":row>"), len(data) - _CARRIED_BYTES, 0)
                found.update(_in(data[:cut]))
                rest = data[cut:]
                if len(found) > _KEPT:
                    raise FileRefused(f"the sheet has more than {_KEPT:,} cells with errors; repair it")
            found.update(_in(rest))
            return found
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        StopIteration,
        ElementTree.ParseError,
    ) as error:
        raise FileRefused(f"the spreadsheet is damaged or cut short ({error}); send it again") from error


def _in(data: bytes) -> dict[Cell, str]:
    if b't="e"' not in data:
        return {}
    return {
        (int(row), _column(letters)): value.decode("ascii", "replace")
        for letters, row, value in _ERROR_CELL.findall(data)
    }


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
