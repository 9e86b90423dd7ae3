"""A range beside the one before it, or the same a year earlier."""

from datetime import date
from typing import Any

import pytest

from pipeline.answers.comparison import Compare, shift_of
from pipeline.answers.dates import DateRange
from pipeline.answers.measures import measure_values
from tests.api.conftest import StrictClient
from tests.api.published import Line


@pytest.mark.parametrize(
    ("compare", "grain", "start", "end", "other_start", "other_end"),
    [
        ("previous_period", None, "2024-03-01", "2024-05-31", "2023-12-01", "2024-02-29"),
        ("previous_period", None, "2024-03-05", "2024-03-14", "2024-02-24", "2024-03-04"),
        ("previous_period", "day", "2024-03-01", "2024-03-31", "2024-01-30", "2024-02-29"),
        ("previous_period", "week", "2024-03-06", "2024-03-14", "2024-02-21", "2024-02-29"),
        ("previous_period", "month", "2024-01-15", "2024-03-20", "2023-10-15", "2023-12-20"),
        ("previous_period", "quarter", "2024-02-01", "2024-05-31", "2023-08-01", "2023-11-30"),
        ("previous_period", "year", "2024-01-01", "2024-12-31", "2023-01-01", "2023-12-31"),
        ("previous_year", None, "2024-02-29", "2024-02-29", "2023-02-28", "2023-02-28"),
        ("previous_year", None, "2023-02-01", "2023-02-28", "2022-02-01", "2022-02-28"),
        ("previous_year", "month", "2025-02-01", "2025-02-28", "2024-02-01", "2024-02-29"),
        ("previous_year", "week", "2024-03-04", "2024-03-10", "2023-03-06", "2023-03-12"),
    ],
)
def test_the_other_range(
    compare: Compare, grain: str | None, start: str, end: str, other_start: str, other_end: str
) -> None:
    span = DateRange(date.fromisoformat(start), date.fromisoformat(end))
    other = shift_of(compare, grain, span).range(span)
    assert (other.start.isoformat(), other.end.isoformat()) == (other_start, other_end)


def test_each_measure_stands_beside_its_earlier_value(client: StrictClient, golden: int) -> None:
    query = "start_date=2024-03-01&end_date=2024-05-31&compare=previous_period"
    found = client.get(f"/api/v1/revenue/by-region?{query}").json
    assert found is not None
    assert found["meta"]["comparison"] == {
        "kind": "previous_period",
        "range": {"start_date": "2023-12-01", "end_date": "2024-02-29"},
    }
    asia, north_america, south_america = found["data"]
    # 2468.10 in May against 143.976 in February.
    assert asia["comparison"]["net_revenue"] == {
        "previous": "143.976", "difference": "2324.124", "ratio": "17.142440",
    }  # fmt: skip
    assert asia["comparison"]["orders"] == {"previous": 1, "difference": 0, "ratio": "1.000000"}
    assert asia["comparison"]["margin"] == {"previous": None, "difference": None, "ratio": None}
    # 297.4915 of 2945.5915 against 324 of 1766.976: shares are those of each whole range.
    assert north_america["comparison"]["share_of_total"] == {
        "previous": "0.183364", "difference": "-0.082369", "ratio": "0.550792",
    }  # fmt: skip
    assert south_america["comparison"]["net_revenue"] == {
        "previous": "0.00", "difference": "180.00", "ratio": None,
    }  # fmt: skip


def test_a_bucket_stands_beside_the_same_bucket_a_year_before(client: StrictClient, golden: int) -> None:
    query = "start_date=2024-11-01&end_date=2025-01-31&compare=previous_year&group_by=region&limit=500"
    found = client.get(f"/api/v1/revenue/trend?{query}").json
    assert found is not None
    assert found["data"] == []
    trend = client.get(
        "/api/v1/revenue/trend?start_date=2024-11-01&end_date=2025-01-31&compare=previous_year"
    )
    assert trend.json is not None
    assert [
        (row["bucket"]["start_date"], row["comparison"]["net_revenue"]["previous"])
        for row in trend.json["data"]
    ] == [("2024-11-01", "0.00"), ("2024-12-01", "324.00"), ("2025-01-01", "1299.00")]


def test_pages_compare_like_the_whole(client: StrictClient, golden: int) -> None:
    query = "/api/v1/revenue/by-product?compare=previous_year&start_date=2024-06-01&end_date=2025-06-30"
    whole = client.get(query.replace("2024-06-01", "2024-01-01")).json
    assert whole is not None
    first = client.get(f"{query.replace('2024-06-01', '2024-01-01')}&limit=2").json
    assert first is not None
    assert first["data"] == whole["data"][:2]


def test_each_row_is_compared_as_it_would_be_alone(client: StrictClient, many_lines: list[Line]) -> None:
    asked = "grain=week&start_date=2024-02-01&compare=previous_period"
    found = client.get(f"/api/v1/revenue?group_by=customer&{asked}&limit=60&sort=-net_revenue").json
    assert found is not None
    assert any(row["customer"]["id"] is None for row in found["data"])
    for row in found["data"]:
        if row["customer"]["id"] is None:
            continue
        alone = client.get(f"/api/v1/revenue?{asked}&customer_id={row['customer']['id']}&limit=500").json
        assert alone is not None
        [expected] = [one for one in alone["data"] if one["bucket"] == row["bucket"]]
        for name, value in expected["comparison"].items():
            if name != "share_of_total":
                assert row["comparison"][name] == value


def test_no_more_rows_are_made_than_the_page_has(
    client: StrictClient, many_lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def counted(*arguments: Any) -> dict[str, Any]:
        made.append(arguments)
        return measure_values(*arguments)

    monkeypatch.setattr("pipeline.answers.revenue.measure_values", counted)
    query = "group_by=customer&grain=day&compare=previous_year&limit=5"
    found = client.get(f"/api/v1/revenue?{query}").json
    assert found is not None
    assert len(found["data"]) == 5
    # Each row twice, and the one after the page that tells that there is more.
    assert len(made) == 12


def test_two_days_may_have_the_same_day_a_year_before(client: StrictClient, golden: int) -> None:
    query = "start_date=2024-02-28&end_date=2024-02-29&grain=day&compare=previous_year&group_by=product"
    found = client.get(f"/api/v1/revenue?{query}").json
    assert found is not None
    assert [(row["bucket"]["start_date"], row["net_revenue"]) for row in found["data"]] == [
        ("2024-02-28", "143.976"), ("2024-02-29", "0.00"),
    ]  # fmt: skip


def test_a_group_without_sales_in_the_other_range_had_no_share_of_it(
    client: StrictClient, golden: int
) -> None:
    query = "start_date=2024-03-01&end_date=2024-05-31&compare=previous_period"
    found = client.get(f"/api/v1/revenue/by-region?{query}").json
    assert found is not None
    [south_america] = [row for row in found["data"] if row["region"] == "South America"]
    assert south_america["comparison"]["share_of_total"] == {
        "previous": "0.000000", "difference": "0.061108", "ratio": None,
    }  # fmt: skip


def test_before_the_calendar_there_is_nothing_to_compare_with(client: StrictClient, golden: int) -> None:
    found = client.get("/api/v1/revenue/total?start_date=0001-01-01&compare=previous_year")
    assert (found.status_code, found.json and found.json["code"]) == (422, "invalid_range")
