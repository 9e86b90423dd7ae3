"""Look at a file, propose how to read it, and read it so."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.inspection.content import with_content
from pipeline.inspection.entry import toml_entry
from pipeline.inspection.feeds import by_its_feed
from pipeline.inspection.matching import read_headers, system_of
from pipeline.inspection.models import Doubt, HeaderReading, Inspection, Problem
from pipeline.inspection.numbers import with_discount, with_marks
from pipeline.inspection.tables import Headers, Sample, find_headers, read_sample
from pipeline.landing import LandingError, LandingRequest, Progress, QuarantinedRow, Reporting, check
from pipeline.landing.checking import date_format_of
from pipeline.landing.dates import ISO, AmbiguousDates
from pipeline.landing.errors import FileRefused
from pipeline.landing.feeds import checker_of
from pipeline.landing.opening import form_of
from pipeline.sources import FEEDS, ORDER_LINES, SourceSettings

_LINES_SHOWN = 5
_ROWS_SHOWN = 5
_EXAMPLES = 3


def inspect_file(
    path: Path,
    source: str,
    settings: SourceSettings,
    progress: Callable[[Progress], None],
    name: str | None = None,
    reporting: Reporting | None = None,
) -> Inspection:
    """What a file is, and what is to be said of it in ``sources.toml``.

    Args:
        path: the file.
        source: what the proposed table is called.
        settings: what is known of the source; it is never changed, only added to. When it says no feed, the
            file may say it.
        progress: is told of the reading of every row.
        name: what the file is called; by default as on disk.
        reporting: what the warehouse counts in; by default as by the settings' defaults.

    Raises:
        LandingError: the file cannot be opened, or is no table.
    """
    name = name or path.name
    try:
        return _inspected(path, source, settings, progress, name, reporting or Reporting())
    except FileRefused as error:
        raise LandingError(f"{name}: {error}") from error


def _inspected(
    path: Path,
    source: str,
    settings: SourceSettings,
    progress: Callable[[Progress], None],
    name: str,
    reporting: Reporting,
) -> Inspection:
    form = form_of(path)
    headers = find_headers(path, form, settings)
    of_its_feed, feed_note = by_its_feed(headers.names, settings)
    if of_its_feed.feed != settings.feed:
        settings = of_its_feed
        headers = find_headers(path, form, settings)
    readings = read_headers(headers.names, settings)
    proposed = _named(settings, readings)
    sample = read_sample(path, proposed)
    readings = with_content(readings, sample, settings.feed)
    proposed = _named(settings, readings)
    sample, proposed = _with_escape(path, proposed)
    doubts: list[Doubt] = []
    for judge in (with_marks, with_discount):
        proposed, found = judge(sample, proposed)
        doubts += found
    encoding = sample.encoding
    if encoding is not None and encoding.is_guessed:
        proposed = proposed.model_copy(update={"encoding": encoding.name})
        doubts.append(Doubt("encoding", "it is what the letters look like"))
    missing = _missing(readings, proposed)
    has_dates, date_format = _has_dates(sample, proposed), None
    if has_dates and not missing:
        date_format, found = _date_format(path, proposed)
        doubts += found
    if date_format not in (None, ISO):
        proposed = proposed.model_copy(update={"date_format": date_format})
    is_told = not missing and (date_format is not None or not has_dates)
    outcome = _Outcome.of(path, name, source, proposed, progress, reporting)
    return Inspection(
        file_name=name,
        kind=form.kind,
        packing=form.packing,
        members=len(form.members),
        encoding=encoding.name if encoding else None,
        encoding_is_guessed=encoding is not None and encoding.is_guessed,
        delimiter=headers.delimiter,
        header_line=headers.line,
        system=system_of(headers.names, settings.feed),
        headers=_with_examples(readings, headers, sample),
        missing=missing,
        settings=proposed,
        date_format=date_format,
        rows_sampled=sample.rows,
        feed_note=feed_note,
        doubts=tuple(doubts),
        first_rows=_first_rows(sample, proposed, reporting) if is_told else (),
        rows_read=outcome.rows_read,
        rows_accepted=outcome.rows_accepted,
        rows_quarantined=outcome.rows_quarantined,
        problems=outcome.problems,
        refusal=outcome.refusal,
        notes=outcome.notes,
        sources_toml=toml_entry(source, proposed, readings, missing, doubts),
    )


@dataclass
class _Outcome:
    """What reading every row came to."""

    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    refusal: str | None = None
    notes: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        path: Path,
        name: str,
        source: str,
        settings: SourceSettings,
        progress: Callable[[Progress], None],
        reporting: Reporting,
    ) -> "_Outcome":
        """Check a file as a load would."""
        outcome = cls()
        request = LandingRequest(
            paths=(path,), names=(name,), source=source, settings=settings, reporting=reporting
        )
        (result,) = check(request, progress, outcome.add)
        outcome.rows_read = result.rows_read
        # Of a file that would be refused, a load accepts none; here it is told how many are good.
        outcome.rows_accepted = result.rows_read - result.rows_quarantined
        outcome.rows_quarantined = result.rows_quarantined
        if result.status == "refused":
            outcome.refusal = result.message
        elif result.message:
            outcome.notes = (result.message,)
        return outcome

    def add(self, _: int, rows: Sequence[QuarantinedRow]) -> None:
        """Count the rules that rows break."""
        for row in rows:
            for rule in row.reasons:
                self.counts[rule] += 1
                lines = self.lines.setdefault(rule, [])
                if len(lines) < _LINES_SHOWN:
                    lines.append(row.row_number)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The rules that rows break, the most broken first."""
        return tuple(Problem(rule, rows, tuple(self.lines[rule])) for rule, rows in self.counts.most_common())


def _named(settings: SourceSettings, readings: Sequence[HeaderReading]) -> SourceSettings:
    """The settings with the headers that are called otherwise than we call them."""
    found = {
        reading.column: reading.header.strip()
        for reading in readings
        if reading.column is not None and reading.found_by != "name"
    }
    if not found:
        return settings
    return settings.model_copy(update={"columns": {**settings.columns, **found}})


def _with_escape(path: Path, settings: SourceSettings) -> tuple[Sample, SourceSettings]:
    """The settings with a backslash before quotes, when fewer rows are damaged so."""
    sample = read_sample(path, settings)
    if settings.escape is None and sample.damaged_rows:
        escaping = settings.model_copy(update={"escape": "\\"})
        escaped = read_sample(path, escaping)
        if escaped.damaged_rows < sample.damaged_rows:
            return escaped, escaping
    return sample, settings


def _has_dates(sample: Sample, settings: SourceSettings) -> bool:
    date = FEEDS[settings.feed].date
    return date is not None and sample.columns.states(date)


def _date_format(path: Path, settings: SourceSettings) -> tuple[str | None, list[Doubt]]:
    """The date format that fits every row; a doubt when there are several, or none."""
    try:
        found = date_format_of(path, settings)
    except AmbiguousDates as error:
        choices = tuple((f'date_format = "{fit.format}"', fit.told) for fit in error.fits)
        return None, [Doubt("date_format", "the dates can be read in several ways", choices)]
    except FileRefused as error:
        return None, [Doubt("date_format", str(error))]
    if found is None:
        return settings.date_format or ISO, []
    return found.format, [Doubt("date_format", found.note)] if found.alike else []


def _missing(readings: Sequence[HeaderReading], settings: SourceSettings) -> tuple[str, ...]:
    found = {reading.column for reading in readings} | settings.constants.keys()
    needed = dict.fromkeys([*FEEDS[settings.feed].required, *settings.columns])
    return tuple(name for name in needed if name not in found)


def _with_examples(
    readings: Sequence[HeaderReading], headers: Headers, sample: Sample
) -> tuple[HeaderReading, ...]:
    if sample.columns.headers != headers.names:
        return tuple(readings)
    return tuple(
        replace(reading, examples=tuple(sample.values(position).head(_EXAMPLES)))
        for position, reading in enumerate(readings)
    )


def _first_rows(sample: Sample, settings: SourceSettings, reporting: Reporting) -> tuple[dict[str, Any], ...]:
    """The first accepted rows, as they would be stored."""
    if sample.chunk is None:
        return ()
    checked = checker_of(sample.columns, settings, reporting).check(sample.chunk)
    rows = checked.tables[0][1].head(_ROWS_SHOWN)
    if settings.feed != ORDER_LINES:
        return tuple(rows.to_dicts())
    for versions in (checked.table("products"), checked.table("customers")):
        key = next(name for name in versions.columns if name.endswith("_key"))
        details = versions.select(key, *(name for name in versions.columns if name not in rows.columns))
        rows = rows.join(details, on=key, how="left", maintain_order="left")
    rows = rows.rename({"sale_day": "sale_date", "quantity_number": "quantity"})
    return tuple(rows.drop("product_key", "customer_key", "occurrence").to_dicts())
