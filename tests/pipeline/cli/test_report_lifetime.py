"""`tillhouse report lifetime-value`, `segments` and `cohorts`."""

import csv
import io
import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from api.app import close, create_app
from pipeline.cli import main
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from tests.api.lifetime_reference import buying_lines
from tests.api.published import Line, golden_lines, publish
from tests.conftest import Warehouse

Report = Callable[..., Result]
API = "/api/v1/customers/"


@pytest.fixture
def report(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Report]:
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, ["report", *arguments])
    get_settings.cache_clear()


def publish_lines(warehouse: Warehouse, lines: list[Line]) -> None:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, lines)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["lifetime-value", "--calibration-end", "2023-09-30"], "lifetime-value?calibration_end=2023-09-30"),
        (["lifetime-value", "--by", "cohort", "--horizon-weeks", "8"],
         "lifetime-value?by=cohort&horizon_weeks=8"),
        (["segments", "--as-of", "2023-10-01", "--from", "2023-03-01"],
         "segments?as_of=2023-10-01&start_date=2023-03-01"),
        (["segments", "--cuts", "0.1,0.2,0.5,0.9"], "segments?cuts=0.1,0.2,0.5,0.9"),
        (["segments", "--members", "--segment", "loyal", "--recency-cuts", "9,20,40,90"],
         "segments?members=true&segment=loyal&recency_cuts=9,20,40,90"),
        (["cohorts", "--to", "2023-08-15"], "cohorts?end_date=2023-08-15"),
    ],
)  # fmt: skip
def test_json_has_exactly_the_apis_keys_and_values(
    report: Report, warehouse: Warehouse, arguments: list[str], path: str
) -> None:
    publish_lines(warehouse, buying_lines(60, seed=9))
    result = report(*arguments, "--json")
    assert result.exit_code == 0, result.output
    app = create_app(warehouse.settings, warehouse.urls)
    answer = app.test_client().get(f"{API}{path}&limit=500").get_json()
    close(app)
    assert json.loads(result.stdout) == {"data": answer["data"], "meta": answer["meta"]}


def test_the_table_tells_the_parameters_and_the_error(report: Report, warehouse: Warehouse) -> None:
    publish_lines(warehouse, buying_lines(60, seed=9))
    exact = json.loads(report("lifetime-value", "--calibration-end", "2023-09-30", "--json").stdout)
    result = report("lifetime-value", "--calibration-end", "2023-09-30")
    assert result.exit_code == 0, result.output
    model = exact["meta"]["model"]
    purchases = model["purchases"]
    assert (
        f"purchases: r {purchases['r']}, alpha {purchases['alpha']}, a {purchases['a']}, b {purchases['b']}, "
        f"log-likelihood {purchases['log_likelihood']}"
    ) in result.stdout
    assert "Expected in the 52 weeks after 2023-09-30" in result.stdout
    assert "fitted until 2023-09-30 and compared until " in result.stdout
    assert f"{model['holdout']['actual_purchases']} made" in result.stdout
    assert "The first 20 of 60 rows; --json and --csv print all." in result.stdout


def test_a_model_that_cannot_be_fitted_says_why_beside_the_realised_values(
    report: Report, warehouse: Warehouse
) -> None:
    publish_lines(warehouse, golden_lines())
    result = report("lifetime-value")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["C101", "2024-05-18", "2", "2,648.10", "–", "–", "–"] in lines
    assert "No prediction: Only 3 customers bought again on a later day" in result.stdout
    assert "Per customer: net revenue 1,570.86, margin –" in result.stdout


def test_csv_of_members_is_complete_and_harmless(report: Report, warehouse: Warehouse) -> None:
    first, *rest = golden_lines()
    publish_lines(warehouse, [Line(**{**vars(first), "customer_id": "=1+1"}), *rest])
    rows = list(csv.DictReader(io.StringIO(report("segments", "--members", "--csv").stdout)))
    assert [(row["customer_id"], row["net_revenue"]) for row in rows] == [
        ("C101", "2648.10"),
        ("C789", "1596.4915"),
        ("'=1+1", "324.00"),
        ("C456", "143.976"),
    ]


def test_tables_of_segments_and_cohorts_are_for_eyes(report: Report, warehouse: Warehouse) -> None:
    publish_lines(warehouse, golden_lines())
    found = report("segments").stdout
    assert "Segments as of 2024-05-18, USD" in found
    assert "frequency cut at 2, 2, 2, 2" in found
    lines = [line.split() for line in report("cohorts").stdout.splitlines()]
    assert ["2023-12", "1", "100.0", "%", "0.0", "%", "100.0", "%", *["0.0", "%"] * 3] in lines
    assert ["2024-03", "1", "100.0", "%", "0.0", "%", "100.0", "%"] in lines


def test_a_table_of_members_has_their_scores(report: Report, warehouse: Warehouse) -> None:
    publish_lines(warehouse, golden_lines())
    lines = [line.split() for line in report("segments", "--members").stdout.splitlines()]
    assert next(line for line in lines if line[:1] == ["C456"])[-4:] == ["467.98", "2", "1", "1"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lifetime-value", "--calibration-end", "soon"], 2, "does not match the format"),
        (["lifetime-value", "--calibration-end", "2030-01-01"], 1, "after the data's end, 2024-05-18"),
        (["lifetime-value", "--json", "--csv"], 2, "exclude each other"),
        (["lifetime-value", "--from", "2024-02-01", "--to", "2024-01-01"], 2, "is after --to 2024-01-01"),
        (["segments", "--cuts", "a,b"], 2, "no numbers with commas"),
        (["segments", "--cuts", "nan,0.2,0.3,0.4"], 2, "no numbers with commas"),
        (["segments", "--recency-cuts", "1,2,3,4.5"], 2, "no whole numbers"),
        (["segments", "--cuts", "0.2,0.4"], 1, "four rising numbers"),
        (["segments", "--segment", "vip"], 2, "vip"),
    ],
)
def test_wrong_options_are_explained(
    report: Report, warehouse: Warehouse, arguments: list[str], code: int, said: str
) -> None:
    publish_lines(warehouse, golden_lines())
    result = report(*arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
