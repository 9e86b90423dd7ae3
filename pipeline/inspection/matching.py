"""Which column of ours each header of a file may be."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from pipeline.inspection.aliases import SYSTEMS, key
from pipeline.inspection.feed_aliases import ALIASES_BY_FEED
from pipeline.inspection.models import FoundBy, HeaderReading
from pipeline.landing.columns import normalized, our_columns
from pipeline.sources import FEEDS, ORDER_LINES, SourceSettings

# Two letters of a usual name may be wrong, or an ending be different.
_SIMILAR = 0.85
# Shorter names are like too many others.
_SIMILAR_LETTERS = 5
# What sources.toml can name.
_HEADER_CHARACTERS = 200

# Of each feed: what a name, without accents and signs, stands for, and how likely it is among its equals.
_BY_ALIAS = {
    feed: {
        key(alias): (column, rank)
        for column, names in aliases.items()
        for rank, alias in enumerate((FEEDS[feed].columns[column], *names))
    }
    for feed, aliases in ALIASES_BY_FEED.items()
}


def system_of(headers: Sequence[str], feed: str) -> str | None:
    """The system whose export of order lines has these headers, if one is known that does."""
    if feed != ORDER_LINES:
        return None
    found = {key(header) for header in headers}
    return next(
        (name for name, named in SYSTEMS.items() if all(key(header) in found for header in named.values())),
        None,
    )


def known_columns(headers: Sequence[str], settings: SourceSettings) -> int:
    """How many of our columns the headers name, by our names for them or by known ones."""
    named = {name for name in our_columns(headers, settings) if name is not None}
    by_alias = _BY_ALIAS[settings.feed]
    return len(named | {by_alias[key(header)][0] for header in headers if key(header) in by_alias})


def read_headers(headers: Sequence[str], settings: SourceSettings) -> list[HeaderReading]:
    """Each header's column. A column is given once, to the header that is the surest to mean it."""
    readings = [HeaderReading(header, None, "nothing") for header in headers]
    taken: dict[str, str] = {name: f"the constant {value!r}" for name, value in settings.constants.items()}
    for position, column in enumerate(our_columns(headers, settings)):
        if column is not None:
            readings[position] = replace(readings[position], column=column, found_by="name")
            taken[column] = repr(headers[position])
    counts = Counter(map(normalized, headers))
    for position, column, found_by in _proposals(headers, settings.feed):
        reading = readings[position]
        # What sources.toml cannot name is left: an empty header, a very long one, one that is there twice.
        is_usable = (
            0 < len(reading.header.strip()) <= _HEADER_CHARACTERS and counts[normalized(reading.header)] == 1
        )
        if reading.column is not None or not is_usable:
            continue
        if column not in taken:
            remark = _like(reading.header, settings.feed) if found_by == "similar" else None
            readings[position] = replace(reading, column=column, found_by=found_by, remark=remark)
            taken[column] = repr(reading.header)
        elif reading.remark is None:
            readings[position] = replace(
                reading, remark=f"could be {column} too, which is {taken[column]} here"
            )
    return readings


def _proposals(headers: Sequence[str], feed: str) -> Iterator[tuple[int, str, FoundBy]]:
    """Positions and columns, the surest first."""
    system = SYSTEMS.get(system_of(headers, feed) or "", {})
    by_system = {key(header): column for column, header in system.items()}
    keys = [key(header) for header in headers]
    yield from ((at, by_system[name], "alias") for at, name in enumerate(keys) if name in by_system)
    aliases = _BY_ALIAS[feed]
    by_alias = [(at, *aliases[name]) for at, name in enumerate(keys) if name in aliases]
    yield from ((at, column, "alias") for at, column, _ in sorted(by_alias, key=lambda found: found[2]))
    similar = [(at, *_most_similar(name, feed)) for at, name in enumerate(keys) if name not in aliases]
    for at, alias, ratio in sorted(similar, key=lambda found: -found[2]):
        if ratio >= _SIMILAR:
            yield at, aliases[alias][0], "similar"


def _most_similar(name: str, feed: str) -> tuple[str, float]:
    if len(name) < _SIMILAR_LETTERS:
        return "", 0.0
    ratios = _ratios(name, feed)
    best = max(ratios, key=lambda alias: ratios[alias], default="")
    return best, ratios.get(best, 0.0)


def _ratios(name: str, feed: str) -> Mapping[str, float]:
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(name)
    found = {}
    for alias in _BY_ALIAS[feed]:
        matcher.set_seq1(alias)
        if len(alias) >= _SIMILAR_LETTERS and matcher.quick_ratio() >= _SIMILAR:
            found[alias] = matcher.ratio()
    return found


def _like(header: str, feed: str) -> str:
    alias, _ = _most_similar(key(header), feed)
    column = _BY_ALIAS[feed][alias][0]
    names = ALIASES_BY_FEED[feed][column]
    spelled = next((name for name in names if key(name) == alias), FEEDS[feed].columns[column])
    return f"spelled almost as {spelled!r}"
