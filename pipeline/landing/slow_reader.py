"""The reading that defines what a row is: Python's csv module, strictly, line by line.

A record that is not closed within ``ROW_BYTES`` or by the end of the file, or that goes on
after a closing quote, costs its first physical line only: that line is handed on as damaged
and reading resumes at the next one. The outcome does not depend on where blocks are cut.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipeline.landing.blocks import ROW_BYTES
from pipeline.landing.chunks import Chunk, Damage, Shape, shown

Fields = Sequence[str | None]


@dataclass
class _Lines:
    """Feeds lines to a csv.reader, and stops it where a record grows too long."""

    lines: list[bytes]
    start: int = 0
    ended: bool = False
    too_long: bool = False

    def feed(self) -> Iterator[str]:
        taken = 0
        first = self.start
        for index in range(self.start, len(self.lines)):
            if self.start != first:
                first, taken = self.start, 0
            taken += len(self.lines[index])
            if taken > ROW_BYTES:
                self.too_long = True
                return
            yield self.lines[index].decode("utf-8", "surrogateescape")
        self.ended = True


@dataclass
class _Rows:
    shape: Shape
    fields: list[Fields] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    damage: list[int] = field(default_factory=list)

    def add(self, start: int, end: int, fields: Fields, damage: Damage) -> None:
        self.fields.append(fields)
        self.starts.append(start)
        self.ends.append(end)
        self.damage.append(damage)

    def add_record(self, start: int, end: int, record: list[str]) -> None:
        width = self.shape.width
        damage = Damage.NONE
        if len(record) > width and self.shape.joins_surplus:
            record = [*record[: width - 1], self.shape.delimiter.join(record[width - 1 :])]
        fields: Fields = record
        if character_damage := _character_damage("".join(record)):
            damage |= character_damage
            fields = [None if _character_damage(text) else text for text in record]
        if len(record) > width:
            damage |= Damage.TOO_MANY_FIELDS
            fields = self._keys_only(fields, len(record))
        elif len(record) < width:
            damage |= Damage.TOO_FEW_FIELDS
            fields = self._keys_only(fields, len(record) - 1)
        self.add(start, end, fields, damage)

    def add_unreadable(self, index: int, damage: Damage) -> None:
        self.add(index, index + 1, [None] * self.shape.width, damage)

    def _keys_only(self, fields: Fields, trusted: int) -> Fields:
        # A row with the wrong number of fields is not guessed at, but its key still tells
        # which line it speaks of. The last field of a row cut short may be cut itself.
        keys: list[str | None] = [None] * self.shape.width
        for position in self.shape.key_positions:
            if position < trusted:
                keys[position] = fields[position]
        return keys


def _character_damage(text: str) -> Damage:
    damage = Damage.NUL_CHARACTER if "\x00" in text else Damage.NONE
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that were no UTF-8 came in as lone surrogates
        damage |= Damage.INVALID_UTF8
    return damage


def read_slowly(data: bytes, shape: Shape, first_line: int, is_last: bool) -> tuple[Chunk, bytes]:
    """The rows of a block, and the bytes of a record that goes on in the next block.

    ``first_line`` is the physical line number of the block's first line.
    """
    csv.field_size_limit(max(csv.field_size_limit(), ROW_BYTES))
    lines = _split_at_line_feeds(data)
    rows = _Rows(shape)
    source = _Lines(lines)
    carried = len(lines)
    while source.start < len(lines):
        if len(lines[source.start]) > ROW_BYTES:
            rows.add_unreadable(source.start, Damage.ROW_TOO_LONG)
            source.start += 1
            continue
        problem = _read_until_damage(source, rows)
        if problem is None:
            continue
        if problem is Damage.UNCLOSED_QUOTE and source.ended and not is_last:
            carried = source.start
            break
        rows.add_unreadable(source.start, problem)
        source.start += 1
    return _chunk(rows, lines, first_line), b"".join(lines[carried:])


def _read_until_damage(source: _Lines, rows: _Rows) -> Damage | None:
    """Read records up to the first damaged one, on whose first line ``source`` then stands."""
    source.ended = source.too_long = False
    offset = source.start
    reader = csv.reader(
        source.feed(), delimiter=rows.shape.delimiter, escapechar=rows.shape.escape, strict=True
    )
    try:
        for record in reader:
            end = offset + reader.line_num
            if record:
                rows.add_record(source.start, end, record)
            source.start = end
    except csv.Error as error:
        if source.ended or source.too_long:
            return Damage.UNCLOSED_QUOTE
        return Damage.STRAY_CARRIAGE_RETURN if "new-line" in str(error) else Damage.MALFORMED_QUOTES
    return None


def _split_at_line_feeds(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _chunk(rows: _Rows, lines: list[bytes], first_line: int) -> Chunk:
    columns = list(zip(*rows.fields, strict=True)) or [()] * rows.shape.width
    text = pl.DataFrame(
        {str(position): pl.Series(values, dtype=pl.String) for position, values in enumerate(columns)}
    )

    def raw_text(positions: Sequence[int]) -> list[str]:
        return [shown(b"".join(lines[rows.starts[at] : rows.ends[at]])) for at in positions]

    return Chunk(
        text=text,
        row_number=np.asarray(rows.starts, dtype=np.int64) + first_line,
        damage=np.asarray(rows.damage, dtype=np.uint16),
        raw_text=raw_text,
    )
