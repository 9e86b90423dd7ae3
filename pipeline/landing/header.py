"""The line of column names: where it is, how its fields are separated, and what they name."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.landing.columns import ColumnMap, map_columns, our_columns
from pipeline.landing.errors import FileRefused
from pipeline.sources import SourceSettings

DELIMITERS = (",", ";", "\t", "|")
# What a report writes above its table (a title, the shop, the dates) is looked through so far.
PREAMBLE_LINES = 50


@dataclass(frozen=True)
class Header:
    """The column names of a file of text.

    ``line`` is where they stand, counted from 1; ``bytes_used`` is how much of the file they take, with
    everything before them.
    """

    names: tuple[str, ...]
    columns: ColumnMap
    delimiter: str
    line: int
    bytes_used: int


@dataclass(frozen=True)
class HeaderAttempt:
    """A line that may be the one, split at one delimiter; lines before ``end`` are used up by it."""

    names: tuple[str, ...]
    delimiter: str
    line: int
    end: int


def find_header(head: bytes, settings: SourceSettings) -> Header:
    """The first line that has every column that is needed, with the delimiter that makes it so.

    ``head`` is the file's beginning, in UTF-8.

    Raises:
        FileRefused: there is none; says what the likeliest line lacks.
    """
    if not head.strip():
        raise FileRefused("the file is empty: it must begin with a line of column names")
    if b"\x00" in head[: head.find(b"\n") + 1 or None]:
        raise FileRefused("the file is no text: its first line has NUL characters; it must be CSV in UTF-8")
    lines = _lines(head)
    best, best_known = None, -1
    for attempt in _attempts(lines, settings):
        known = [name for name in our_columns(attempt.names, settings) if name is not None]
        try:
            columns = map_columns(attempt.names, settings)
        except FileRefused:
            if len(known) > best_known:
                best, best_known = attempt, len(known)
            continue
        used = sum(len(line) for line in lines[: attempt.end])
        return Header(attempt.names, columns, attempt.delimiter, attempt.line, min(used, len(head)))
    if best is None:
        raise FileRefused(
            "the line of column names cannot be read; check its quotes, that lines end with LF or CRLF, and "
            "that it is text in UTF-8"
        )
    map_columns(best.names, settings)
    raise AssertionError("what could not be mapped can")


def header_attempts(head: bytes, settings: SourceSettings) -> Iterator[HeaderAttempt]:
    """Every line of a file's beginning that may have the column names, in every way to split it."""
    return _attempts(_lines(head), settings)


def _lines(head: bytes) -> list[bytes]:
    return [line + b"\n" for line in head.split(b"\n")]


def _attempts(lines: Sequence[bytes], settings: SourceSettings) -> Iterator[HeaderAttempt]:
    delimiters = (settings.delimiter,) if settings.delimiter else DELIMITERS
    for start, line in enumerate(lines[:PREAMBLE_LINES]):
        if line.strip():
            for delimiter in delimiters:
                attempt = _attempt(lines, start, delimiter, settings.escape)
                if attempt is not None:
                    yield attempt


def _attempt(lines: Sequence[bytes], start: int, delimiter: str, escape: str | None) -> HeaderAttempt | None:
    reader = csv.reader(
        (line.decode() for line in lines[start:]), delimiter=delimiter, escapechar=escape, strict=True
    )
    try:
        names = tuple(next(reader))
    except (csv.Error, StopIteration, UnicodeDecodeError):
        return None
    return HeaderAttempt(names, delimiter, start + 1, start + reader.line_num)
