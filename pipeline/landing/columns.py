"""Which column of a file is which of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.landing.errors import FileRefused, MissingColumns
from pipeline.sources import FEEDS, ONLY_WHEN_MAPPED, SourceSettings

LAST_COLUMNS_WITH_FREE_COMMAS = ("customer_address", "address")
_SHOWN_HEADERS = 30


def normalized(header: str) -> str:
    """A header without what people write differently: case, spaces, underscores."""
    return "".join(header.split()).replace("_", "").casefold()


_BY_HEADER = {
    feed: {
        normalized(header): name
        for name, title in known.columns.items()
        if name != ONLY_WHEN_MAPPED
        for header in (title, name)
    }
    for feed, known in FEEDS.items()
}


@dataclass(frozen=True)
class ColumnMap:
    """Where each of our columns is in the file or what stands in for it, and what the others are called.

    ``named`` says of each title which column of ours it names, if any.
    """

    width: int
    positions: Mapping[str, int]
    extra: Mapping[str, int]
    constants: Mapping[str, str]
    headers: tuple[str, ...] = field(compare=False)
    named: Mapping[str, str | None] = field(compare=False)

    @property
    def joins_surplus(self) -> bool:
        """Whether fields beyond the header belong to its last column, the address."""
        return any(self.positions.get(name) == self.width - 1 for name in LAST_COLUMNS_WITH_FREE_COMMAS)

    def states(self, name: str) -> bool:
        """Whether the file, or a constant, says something about a column of ours."""
        return name in self.positions or name in self.constants


def our_columns(headers: Sequence[str], settings: SourceSettings) -> list[str | None]:
    """For each header, which column of ours it names, or None."""
    by_header = {
        header: name
        for header, name in _BY_HEADER[settings.feed].items()
        # A column that the source calls otherwise is not meant by its usual name.
        if name not in settings.columns
    } | {normalized(header): name for name, header in settings.columns.items()}
    return [by_header.get(normalized(header)) for header in headers]


def map_columns(
    headers: Sequence[str], settings: SourceSettings, found_in: str = "the line of column names"
) -> ColumnMap:
    """Match a file's headers, found in this place, to our columns.

    Raises:
        MissingColumns: a column that is required or was declared is missing.
        FileRefused: two headers mean the same column, or a column has a constant as well.
    """
    positions: dict[str, int] = {}
    extra: dict[str, int] = {}
    declared = {normalized(title): title for title in settings.extra}
    names = our_columns(headers, settings)
    for position, (header, name) in enumerate(zip(headers, names, strict=True)):
        if name is None:
            title = declared.get(normalized(header)) or header.strip() or f"column {position + 1}"
            extra[_free_title(title, extra)] = position
        elif name in positions:
            raise FileRefused(
                f"the headers {headers[positions[name]].strip()!r} and {header.strip()!r} name the same "
                "column; remove or rename one of them"
            )
        elif name in settings.constants:
            raise FileRefused(
                f"the file has a column {header.strip()!r}, and sources.toml gives {name} the constant "
                f"{settings.constants[name]!r}; remove one of them"
            )
        else:
            positions[name] = position
    found = [header.strip() for header in headers]
    known = FEEDS[settings.feed]
    missing = [
        settings.columns.get(name, known.columns[name])
        for name in dict.fromkeys([*known.required, *settings.columns])
        if name not in positions and name not in settings.constants
    ]
    missing += [title for title in settings.extra if title not in extra]
    if missing:
        raise MissingColumns(_missing_message(missing, found, found_in), tuple(headers))
    at = {position: title for title, position in extra.items()}
    named = {at.get(position, found[position]): name for position, name in enumerate(names)}
    return ColumnMap(len(headers), positions, extra, settings.constants, tuple(headers), named)


def _free_title(title: str, taken: Mapping[str, int]) -> str:
    """The title of a column that is kept as it is; with a number when another one is called so."""
    number, free = 1, title
    while free in taken:
        number += 1
        free = f"{title} ({number})"
    return free


def _missing_message(missing: list[str], found: list[str], found_in: str) -> str:
    shown = ", ".join(header[:60] for header in found[:_SHOWN_HEADERS])
    more = f" and {len(found) - _SHOWN_HEADERS} more" if len(found) > _SHOWN_HEADERS else ""
    noun = "column is" if len(missing) == 1 else "columns are"
    return (
        f"required {noun} missing: {', '.join(missing)}. Found in {found_in}: {shown}{more}. "
        "When they are called otherwise, say so in sources.toml"
    )
