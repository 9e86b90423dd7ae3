"""What an inspection found out."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.sources import SourceSettings

# How a header was recognised, the surest first: by the name that we or sources.toml give it, as a name that
# shops are known to use, by a name like one of these, by what stands below it, or not at all.
FoundBy = Literal["name", "alias", "similar", "content", "nothing"]
Confidence = Literal["certain", "likely", "uncertain"]
_CONFIDENCE: dict[FoundBy, Confidence] = {
    "name": "certain",
    "alias": "likely",
    "similar": "uncertain",
    "content": "uncertain",
}


@dataclass(frozen=True)
class HeaderReading:
    """One header of the file: the column of ours that it is (None: it is kept beside them), and why."""

    header: str
    column: str | None
    found_by: FoundBy
    remark: str | None = None
    examples: tuple[str, ...] = ()

    @property
    def confidence(self) -> Confidence | None:
        """How sure that is; None of a header that no column was found for."""
        return _CONFIDENCE.get(self.found_by)


@dataclass(frozen=True)
class Doubt:
    """Something that the file alone does not tell.

    ``choices`` are what can be said in TOML, each with what it means; one is to be chosen. Without any, the
    ``setting`` was taken and is worth a look.
    """

    setting: str
    text: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Problem:
    """A rule that rows break: how many do, and the first lines of them."""

    rule: str
    rows: int
    first_lines: tuple[int, ...]


@dataclass(frozen=True)
class Inspection:
    """A file as it would be read with ``settings``, which are proposed.

    ``header_line`` is the line (or row of the sheet) of the column names, None where names stand with the
    values. ``rows_sampled`` is how many rows the marks of numbers were judged by; dates and problems are
    those of every row. ``rows_accepted`` counts the good rows, even of a file that would be refused, and
    ``refusal`` says why it would be. ``feed_note`` tells of a feed that only the column names say.
    """

    file_name: str
    kind: str
    packing: str | None
    members: int
    encoding: str | None
    encoding_is_guessed: bool
    delimiter: str | None
    header_line: int | None
    system: str | None
    headers: tuple[HeaderReading, ...]
    missing: tuple[str, ...]
    settings: SourceSettings
    date_format: str | None
    rows_sampled: int
    feed_note: str | None = None
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()
    first_rows: tuple[dict[str, Any], ...] = ()
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    problems: tuple[Problem, ...] = ()
    refusal: str | None = None
    sources_toml: str = field(default="", compare=False)
