"""``sources.toml``: a table for each source that is written in its own way."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.settings import Settings
from pipeline.sources.errors import SourcesError
from pipeline.sources.models import ORDER_LINES, SourceSettings

# What is said of the source's own feed, and not of another.
_OF_ITS_FEED = {"feed", "mode", "delivery", "columns", "constants", "extra"}
EXAMPLE = "docs/sources.example.toml"


def source_settings(
    settings: Settings,
    source: str,
    *,
    feed: str | None = None,
    mode: str | None = None,
    duplicate_rows: str | None = None,
) -> SourceSettings:
    """What is said of a source, and of one delivery of it, which goes before.

    A source that is not mentioned is like a file of the challenge. Columns, constants and the mode are
    said of the source's own feed: a delivery of another has the usual ones.

    Raises:
        SourcesError: the file cannot be read or used.
    """
    found = read_sources(settings.sources_file).get(source, SourceSettings())
    if feed is not None:
        found = of_feed(found, feed)
    now = {"mode": mode, "duplicate_rows": duplicate_rows}
    wanted = found.model_copy(update={name: value for name, value in now.items() if value is not None})
    if wanted.feed != ORDER_LINES and wanted.mode == "overwrite":
        raise SourcesError(f"{wanted.feed} are only added and corrected: load them with mode append")
    return wanted


def of_feed(settings: SourceSettings, feed: str) -> SourceSettings:
    """The settings of a source for its files of one feed, which is said now."""
    of_another = _OF_ITS_FEED if feed != settings.feed else {"feed"}
    said = settings.model_dump(exclude=of_another, exclude_unset=True)
    return SourceSettings.model_validate(said | {"feed": feed})


def read_sources(file: Path) -> dict[str, SourceSettings]:
    """Every source of a file; none while there is no such file.

    Raises:
        SourcesError: the file cannot be read or used; names the line, or the source and its field.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SourcesError(f"{file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourcesError(f"{file}: is no TOML: {error}") from error
    problems: list[str] = []
    sources = {name: _source(name, table, problems) for name, table in tables.items()}
    if problems:
        raise SourcesError(f"{file}: {'; '.join(problems)} ({EXAMPLE} shows what can be said)")
    return sources


def _source(name: str, table: Any, problems: list[str]) -> SourceSettings:
    if not isinstance(table, Mapping):
        problems.append(f"{name}: stands outside a source's table; begin one with a line such as [till]")
        return SourceSettings()
    try:
        return SourceSettings.model_validate(table)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems += [_describe(name, item["loc"], item["type"], item["msg"]) for item in found]
        return SourceSettings()


def _describe(source: str, location: tuple[int | str, ...], kind: str, message: str) -> str:
    """For example: source till, decimal_mark: Input should be '.' or ','."""
    where = ", ".join([f"source {source}", *(str(part) for part in location if part != "[key]")])
    what = "there is no such field" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
    return f"{where}: {what}"
