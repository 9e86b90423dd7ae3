"""The table of ``sources.toml`` that describes a file."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.inspection.models import Doubt, HeaderReading
from pipeline.sources import FEEDS, SourceSettings

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_entry(
    source: str,
    settings: SourceSettings,
    readings: Sequence[HeaderReading],
    missing: Sequence[str],
    doubts: Sequence[Doubt],
) -> str:
    """The source's table, with a comment on everything that the file alone did not tell.

    Empty when a source without a table is read in the same way.
    """
    said = settings.model_dump(mode="json", exclude_defaults=True)
    if not said and not missing and not doubts:
        return ""
    remarks = _remarks(readings, doubts)
    lines = [f"[{_key(source)}]"]
    for key, value in _flat(said):
        remark = remarks.get(key)
        lines.append(f"{key} = {_value(value)}" + (f"  # uncertain: {_plain(remark)}" if remark else ""))
    titles = FEEDS[settings.feed].columns
    for column in missing:
        lines.append(f'# columns.{column} = "…"  # missing: the header of {titles[column]}')
    for doubt in doubts:
        if doubt.choices:
            lines += [f"# Uncertain: {_plain(doubt.text)}. Choose:", *_choices(doubt)]
    return "\n".join(lines) + "\n"


def _remarks(readings: Sequence[HeaderReading], doubts: Sequence[Doubt]) -> dict[str, str]:
    remarks = {doubt.setting: doubt.text for doubt in doubts if not doubt.choices}
    for reading in readings:
        if reading.column is not None and reading.confidence == "uncertain":
            remarks[f"columns.{reading.column}"] = reading.remark or ""
    return remarks


def _choices(doubt: Doubt) -> Iterator[str]:
    for toml, meaning in doubt.choices:
        first, *others = toml.split("\n")
        yield f"# {first}  # {_plain(meaning)}"
        yield from (f"# {line}" for line in others)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values; tables come last, as they are long."""
    for name, value in sorted(table.items(), key=lambda item: isinstance(item[1], Mapping)):
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{_key(name)}.")
        else:
            yield prefix + _key(name), value


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    """TOML's strings, numbers, booleans and lists are written as JSON's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
