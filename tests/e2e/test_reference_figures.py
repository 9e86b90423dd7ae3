"""Real files through `load` and `report` and through the API, against figures computed elsewhere."""

import json
import os
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.findings.pages import elements_of, table
from tests.pipeline.landing.files import SAMPLE

pytestmark = pytest.mark.timeout(600)
MONEY = ("gross_revenue", "discounts", "returns", "net_revenue", "shipping")


def command(warehouse: Warehouse, *arguments: str) -> dict[str, Any]:
    """The JSON that a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments, "--json"],
        env=os.environ | warehouse.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # What Dagster warns of is for the run's log.
    assert "asset check" not in done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def report(warehouse: Warehouse, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = command(warehouse, "report", "revenue", *options)["data"]
    return rows


def test_the_six_lines_give_the_golden_figures(warehouse: Warehouse) -> None:
    loaded = command(warehouse, "load", str(SAMPLE))
    assert (loaded["rows_read"], loaded["rows_accepted"], loaded["rows_quarantined"]) == (6, 6, {})
    [everything] = report(warehouse)
    assert (everything["net_revenue"], everything["total_revenue"]) == ("4712.5675", "4782.5675")
    by_region = report(warehouse, "--by", "region", "--from", "2024-01-01", "--to", "2024-12-31")
    assert {row["region"]: row["gross_revenue"] for row in by_region} == {
        "Asia": "2777.97",
        "Europe": "1299.00",
        "North America": "349.99",
        "South America": "180.00",
    }
    client = create_app(warehouse.settings, warehouse.urls).test_client()
    answer = client.get("/api/v1/revenue/by-region?start_date=2024-01-01&end_date=2024-12-31").get_json()
    assert answer["data"] == by_region
    with connect(warehouse.urls.reader) as reader:
        addresses = reader.execute("select customer_id, customer_address from core.dim_customer").fetchall()
    assert dict(addresses) == {
        "C456": "123 Main St, Anytown, CA 12345",
        "C789": "456 Elm St, Otherville, NY 54321",
        "C101": "789 Oak St, New City, TX 75024",
    }
    again = command(warehouse, "load", str(SAMPLE))
    assert [batch["status"] for batch in again["batches"]] == ["skipped"]
    assert report(warehouse) == [everything]


@pytest.mark.parametrize(
    ("name", "duplicate_rows"),
    # chinook has no duplicates.
    [("chinook.csv", "quarantine"), ("online_retail.csv.gz", "quarantine"), ("online_retail.csv.gz", "keep")],
)
def test_every_reference_figure_of_a_real_file(
    warehouse: Warehouse, test_data: Path, name: str, duplicate_rows: str
) -> None:
    reference = json.loads((test_data / f"{name.split('.')[0]}.reference.json").read_text())
    setting = "default (duplicates quarantined)" if duplicate_rows == "quarantine" else "duplicate_rows: keep"
    figures = reference[setting]
    loaded = command(warehouse, "load", str(test_data / name), "--duplicate-rows", duplicate_rows)
    quarantined = {"unit_price_negative": reference["negative_price"]}
    if duplicate_rows == "quarantine":
        quarantined["duplicate_row"] = reference["duplicate_row"]
    assert loaded["rows_read"] == reference["rows_read"]
    assert loaded["rows_quarantined"] == {reason: count for reason, count in quarantined.items() if count}
    assert loaded["rows_accepted"] == figures["lines"]

    [everything] = report(warehouse)
    assert {name: Decimal(everything[name]) for name in MONEY} == {
        name: Decimal(figures[name]) for name in MONEY
    }
    counted = ("orders", "customers", "units", "units_returned")
    assert {name: everything[name] for name in counted} == {name: figures[name] for name in counted}
    assert everything["orders"] + everything["return_orders"] == figures["documents"]
    with connect(warehouse.urls.reader) as reader:
        seen = reader.execute("select count(*) from core.dim_customer").fetchone()
    assert seen == (figures["customers_seen"],)

    if "net_by_region" in figures:
        assert_groups_match(warehouse, figures)
    client = create_app(warehouse.settings, warehouse.urls).test_client()
    assert client.get("/api/v1/revenue/total").get_json()["data"] == everything
    if "net_by_region" in figures:
        assert_findings_match(client, figures)


def assert_findings_match(client: FlaskClient, figures: dict[str, Any]) -> None:
    def shown(value: Any) -> str:
        return f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,}".replace("-", "−")

    months = sorted(figures["net_by_month"])
    page = elements_of(client.get(f"/api/v1/findings?start_date={months[0]}-01").text)
    regions = sorted(figures["net_by_region"].items(), key=lambda found: (-Decimal(found[1]), found[0]))
    rest = sum(Decimal(value) for _, value in regions[10:])
    expected = [*([name, shown(value)] for name, value in regions[:10]), ["All others", shown(rest)]]
    assert [row[:2] for row in table(page, "Net revenue by region, USD")[1:]] == expected
    assert [row[1] for row in table(page, "Net revenue by month, USD")[1:]] == [
        shown(figures["net_by_month"][month]) for month in months
    ]
    assert client.get("/api/v1/findings/builds/1").status_code == 200


def assert_groups_match(warehouse: Warehouse, figures: dict[str, Any]) -> None:
    for group in ("category", "region"):
        rows = report(warehouse, "--by", group)
        assert {row[group]: Decimal(row["net_revenue"]) for row in rows} == {
            name: Decimal(value) for name, value in figures[f"net_by_{group}"].items()
        }
    months = report(warehouse, "--by", "month")
    assert {row["bucket"]["start_date"][:7]: Decimal(row["net_revenue"]) for row in months} == {
        month: Decimal(value) for month, value in figures["net_by_month"].items()
    }
    products = report(warehouse, "--by", "product")
    top = sorted(products, key=lambda row: (-row["net_units"], row["product"]["id"]))[:10]
    expected = figures["top_10_products_by_net_units"]
    assert [row["net_units"] for row in top] == [units for _, units in expected]
    # Equal units may come in any order.
    assert {row["product"]["id"] for row in top if row["net_units"] > top[-1]["net_units"]} == {
        product for product, units in expected if units > expected[-1][1]
    }
