"""Which dates a report takes, what they are compared with, and how they are cut."""

from datetime import date

import pytest

from pipeline.answers.dates import DateRange
from pipeline.answers.errors import QueryError
from pipeline.findings.periods import chosen_period, earlier_period, fitting_grain, within_data


def span(text: str) -> DateRange:
    start, end = text.split("/")
    return DateRange(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("data", "period", "why"),
    [
        ("2023-12-15/2024-05-18", "2024-04-01/2024-04-30", "the last whole month of the data"),
        ("2023-12-15/2024-05-31", "2024-05-01/2024-05-31", "the last whole month of the data"),
        ("2024-01-01/2024-02-28", "2024-01-01/2024-01-31", "the last whole month of the data"),
        ("2024-02-01/2024-02-29", "2024-02-01/2024-02-29", "the last whole month of the data"),
        ("2024-01-02/2024-02-28", "2024-01-02/2024-02-28", "all of the data, which has no whole month"),
        ("2024-05-18/2024-05-18", "2024-05-18/2024-05-18", "all of the data, which has no whole month"),
    ],
)
def test_without_dates_it_is_the_last_whole_month_else_everything(data: str, period: str, why: str) -> None:
    found = chosen_period(None, None, span(data))
    assert (found.span, found.why) == (span(period), why)


def test_asked_dates_are_taken_and_the_data_gives_the_other_one() -> None:
    data = span("2023-12-15/2024-05-18")
    day = date(2024, 2, 1)
    assert chosen_period(day, day, data).span == DateRange(day, day)
    assert chosen_period(day, None, data).span == DateRange(day, data.end)
    assert chosen_period(None, day, data).span == DateRange(data.start, day)
    assert chosen_period(day, day, None).why == "as asked"


def test_wrong_dates_and_no_data_at_all_are_explained() -> None:
    with pytest.raises(QueryError, match="is after end_date"):
        chosen_period(date(2024, 2, 2), date(2024, 2, 1), None)
    with pytest.raises(QueryError, match="No sales are published"):
        chosen_period(None, None, None)


@pytest.mark.parametrize(
    ("asked", "earlier"),
    [
        ("2024-04-01/2024-04-30", "2024-03-01/2024-03-31"),
        ("2024-03-01/2024-03-31", "2024-02-01/2024-02-29"),
        ("2024-01-01/2024-12-31", "2023-01-01/2023-12-31"),
        ("2024-04-03/2024-04-12", "2024-03-24/2024-04-02"),
        ("2024-05-18/2024-05-18", "2024-05-17/2024-05-17"),
        ("2023-12-15/2024-05-18", None),
        ("2023-12-01/2023-12-31", None),
        # As many days before it there is no calendar any more.
        ("2024-01-01/9999-01-01", None),
    ],
)
def test_it_is_compared_with_as_much_time_before_where_there_is_data(asked: str, earlier: str | None) -> None:
    found = earlier_period(span(asked), span("2023-12-15/2024-05-18"))
    assert found == (None if earlier is None else span(earlier))
    assert earlier_period(span(asked), None) is None


def test_the_trend_covers_what_there_is_data_of() -> None:
    data = span("2023-12-15/2024-05-18")
    assert within_data(span("0001-01-01/9999-12-31"), data) == data
    assert within_data(span("2024-05-01/2024-05-31"), data) == span("2024-05-01/2024-05-18")
    assert within_data(span("2025-01-01/2025-01-31"), data) is None
    assert within_data(span("2023-01-01/2023-12-14"), data) is None
    assert within_data(data, None) is None


@pytest.mark.parametrize(
    ("asked", "grain"),
    [
        ("2024-01-01/2024-01-01", "day"),
        ("2024-01-01/2024-01-31", "day"),
        ("2024-01-01/2024-02-01", "week"),
        ("2024-01-01/2024-07-01", "week"),
        ("2024-01-01/2024-07-02", "month"),
        ("2020-01-01/2025-01-03", "month"),
        ("2020-01-01/2025-01-04", "year"),
    ],
)
def test_the_grain_fits_the_dates(asked: str, grain: str) -> None:
    assert fitting_grain(span(asked)) == grain
