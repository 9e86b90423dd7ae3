"""`tillhouse report`."""

import csv
import io
import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from api.app import close, create_app
from pipeline.answers.errors import QueryError
from pipeline.answers.regions import net_revenue_by_region
from pipeline.cli import main
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from tests.api.published import Line, golden_lines, publish
from tests.conftest import Warehouse

Report = Callable[..., Result]


@pytest.fixture
def report(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Report]:
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, ["report", "revenue", *arguments])
    get_settings.cache_clear()


@pytest.fixture
def golden(warehouse: Warehouse) -> None:
    publish_lines(warehouse, golden_lines())


def publish_lines(warehouse: Warehouse, lines: list[Line]) -> None:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, lines)


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["--by", "region"], "/api/v1/revenue/by-region?limit=500"),
        (["--by", "payment-method"], "/api/v1/revenue?group_by=payment_method"),
        (["--by", "product", "--by", "month"], "/api/v1/revenue?group_by=product&grain=month&limit=500"),
        (
            ["--by", "customer", "--from", "2024-01-01"],
            "/api/v1/revenue?group_by=customer&start_date=2024-01-01",
        ),
        (["--by", "week", "--to", "2024-01-10"], "/api/v1/revenue/trend?grain=week&end_date=2024-01-10"),
        ([], "/api/v1/revenue"),
    ],
)
def test_json_has_exactly_the_apis_keys_and_values(
    report: Report, warehouse: Warehouse, arguments: list[str], path: str
) -> None:
    result = report("--json", *arguments)
    assert result.exit_code == 0, result.output
    app = create_app(warehouse.settings, warehouse.urls)
    answer = app.test_client().get(path).get_json()
    close(app)
    printed = json.loads(result.stdout)
    assert printed == {"data": answer["data"], "meta": answer["meta"]}
    assert [list(row) for row in printed["data"]] == [list(row) for row in answer["data"]]


@pytest.mark.usefixtures("golden")
def test_the_total_is_one_row_with_the_golden_figures(report: Report) -> None:
    data = json.loads(report("--json").stdout)["data"]
    assert [(row["net_revenue"], row["total_revenue"]) for row in data] == [("4712.5675", "4782.5675")]


@pytest.mark.usefixtures("golden")
def test_the_table_is_rounded_half_up_and_has_a_total(report: Report) -> None:
    result = report("--by", "region", "--from", "2024-01-01", "--to", "2024-12-31")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["Asia", "2,777.97", "165.89", "0.00", "2,612.08", "25.00", "2", "2", "5"] in lines
    assert ["Total", "4,606.96", "218.39", "0.00", "4,388.57", "60.00", "5", "3", "8"] in lines
    assert "2024-01-01 to 2024-12-31 (UTC), build 1, data as of 2024-05-18" in result.stdout


@pytest.mark.usefixtures("golden")
def test_the_table_marks_buckets_that_are_cut(report: Report) -> None:
    result = report("--by", "quarter", "--from", "2024-01-15")
    first_cells = [line.strip().split("  ")[0] for line in result.stdout.splitlines()]
    assert "2024-Q1 *" in first_cells
    assert "2024-Q2 *" in first_cells
    assert "* not whole" in result.stdout


def test_csv_is_exact_and_harmless_to_spreadsheets(report: Report, warehouse: Warehouse) -> None:
    first, *rest = golden_lines()
    named = Line(**{**vars(first), "region": "=cmd()", "product_name": "@sum, of it"})
    publish_lines(warehouse, [named, *rest])
    rows = list(csv.reader(io.StringIO(report("--csv", "--by", "region", "--by", "product").stdout)))
    assert rows[0][:5] == ["region", "product_id", "product_name", "gross_revenue", "discounts"]
    by_region = {row[0]: row for row in rows[1:]}
    assert by_region["'=cmd()"][1:5] == ["P123", "UltraBoost Running Shoes", "360.00", "36.00"]
    assert by_region["North America"][3:7] == ["349.99", "52.4985", "0.00", "297.4915"]
    assert by_region["North America"][9:11] == ["0.00", ""]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "day", "--by", "month"], "one grain of time"),
        (["--by", "colour"], "colour"),
        (["--from", "yesterday"], "yesterday"),
        (["--json", "--csv"], "exclude each other"),
    ],
)
def test_wrong_options_are_explained(report: Report, arguments: list[str], said: str) -> None:
    result = report(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_start_after_the_end_is_explained(report: Report) -> None:
    result = report("--from", "2024-02-01", "--to", "2024-01-01")
    assert result.exit_code == 2
    assert "--from 2024-02-01 is after --to 2024-01-01" in result.stderr


def test_before_the_first_build_the_message_says_what_to_do(report: Report) -> None:
    result = report()
    assert result.exit_code == 1
    assert "load a file" in result.stderr


def test_the_first_answer_is_net_revenue_by_region(warehouse: Warehouse) -> None:
    with pytest.raises(QueryError):
        net_revenue_by_region(warehouse.settings, warehouse.urls)
    publish_lines(warehouse, golden_lines())
    assert net_revenue_by_region(warehouse.settings, warehouse.urls) == [
        ("Asia", "2612.076"),
        ("Europe", "1299.00"),
        ("North America", "621.4915"),
        ("South America", "180.00"),
    ]
