"""The day of a sale: times with an offset or in the source's zone, and hours that clocks skip or repeat."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipeline.landing import Reporting
from pipeline.landing.zones import sale_days
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, one
from tests.pipeline.landing.files import csv_file

ISO = "%Y-%m-%d"
BERLIN = "Europe/Berlin"


def day(text: str, format: str = ISO, source: str | None = None, reporting: str = "UTC") -> date | None:
    [found] = sale_days(pl.Series([text]), format, source, reporting).to_list()
    assert found is None or isinstance(found, date)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-31", date(2024, 3, 31)),
        ("2024-03-31 00:30", date(2024, 3, 31)),
        ("2024-04-01T00:30:00+02:00", date(2024, 3, 31)),
        ("2024-04-01 00:30:00 +0200", date(2024, 3, 31)),
        ("2024-04-01 00:30+02", date(2024, 3, 31)),
        ("2024-03-31T23:30:00-05:30", date(2024, 4, 1)),
        ("2024-03-31T23:59:59.999Z", date(2024, 3, 31)),
        ("2024-03-31 23:59:59 UTC", date(2024, 3, 31)),
    ],
)
def test_a_time_with_an_offset_is_the_day_it_was_here(text: str, expected: date) -> None:
    assert day(text) == expected
    # The same, beside rows that are written otherwise.
    assert sale_days(pl.Series(["2020-02-29", text]), ISO, None, "UTC").to_list() == [
        date(2020, 2, 29),
        expected,
    ]


@pytest.mark.parametrize("reporting", ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_a_time_without_an_offset_is_in_the_sources_zone(reporting: str) -> None:
    for hour in range(24):
        moment = datetime(2024, 7, 1, hour, 30, tzinfo=ZoneInfo(BERLIN))
        expected = moment.astimezone(ZoneInfo(reporting)).date()
        assert day(f"2024-07-01 {hour:02}:30", source=BERLIN, reporting=reporting) == expected
        assert day(f"01.07.2024 {hour}:30", "%d.%m.%Y", BERLIN, reporting) == expected
        assert day(f"Jul 01, 2024 {hour}:30:00", "%b %d, %Y", BERLIN, reporting) == expected
        assert day(f"240701 {hour:02}30", "%y%m%d %H%M", BERLIN, reporting) == expected


def test_a_date_alone_is_taken_as_it_is() -> None:
    assert day("2024-07-01", source=BERLIN, reporting="Pacific/Auckland") == date(2024, 7, 1)
    assert day("240701", "%y%m%d", BERLIN, "Pacific/Auckland") == date(2024, 7, 1)


def test_without_a_zone_a_time_is_taken_as_it_stands() -> None:
    assert day("2024-07-01 23:59", reporting="Pacific/Auckland") == date(2024, 7, 1)
    assert sale_days(
        pl.Series(["2024-07-01 23:59", "2024-07-01 23:59Z"]), ISO, None, "Pacific/Auckland"
    ).to_list() == [date(2024, 7, 1), date(2024, 7, 2)]


def test_an_hour_that_comes_twice_is_the_earlier_one() -> None:
    # On 2024-10-27 in Berlin 02:30 was 00:30 and 01:30 UTC. In UTC−1 the first is on the day before midnight.
    assert day("2024-10-27 02:30", source=BERLIN, reporting="Atlantic/Cape_Verde") == date(2024, 10, 26)
    later = datetime(2024, 10, 27, 1, 30, tzinfo=UTC).astimezone(ZoneInfo("Atlantic/Cape_Verde"))
    assert later.date() == date(2024, 10, 27)


def test_an_hour_that_never_was_is_quarantined(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "1,P,2024-03-31 02:30,1,1",
        "2,P,2024-03-31 01:59:59,1,1",
        "3,P,2024-03-31 23:30,1,1",
        "4,P,2024-03-31,1,1",
    )
    result = one(warehouse, path, time_zone=BERLIN, reporting=Reporting(time_zone="Asia/Tokyo"))
    assert result.reasons == {"sale_date_invalid": 1}
    assert asked(warehouse, "select order_id, sale_date from raw.order_lines order by 1") == [
        ("2", date(2024, 3, 31)),
        ("3", date(2024, 4, 1)),
        ("4", date(2024, 3, 31)),
    ]
