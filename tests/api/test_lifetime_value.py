"""Lifetime value: realised against a computation line by line, predicted against a direct fit."""

import io
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from threading import Lock
from typing import Any

import pyarrow.ipc
import pyarrow.parquet
import pytest

from pipeline.answers import fits
from pipeline.answers.lifetime_value import LifetimeQuestion, lifetime_value
from pipeline.lifetime import Model, fit_model
from pipeline.lifetime.histories import Histories
from pipeline.lifetime.stored import fit_build
from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.api.customer_reference import Buyer, buyers_of
from tests.api.lifetime_reference import Row, buying_lines, direct, group, realised
from tests.api.published import Line
from tests.conftest import Warehouse

URL = "/api/v1/customers/lifetime-value"
PREDICTED = ("predicted_purchases", "probability_alive", "predicted_mean_value", "predicted_value")


def without_predictions(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in PREDICTED}


def same(row: Row, expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        found = row[name]
        assert (
            float(found) == pytest.approx(value, rel=1e-6, abs=2e-6)
            if isinstance(value, float)
            else found == value
        )


def test_random_ranges_have_the_realised_values_of_a_computation_without_sql(
    warehouse: Warehouse, many_lines: list[Line]
) -> None:
    random = Random(5)
    first, last = min(x.sale_date for x in many_lines), max(x.sale_date for x in many_lines)
    everybody = buyers_of(many_lines)
    with connect(warehouse.urls.owner) as connection:
        fit_build(connection, 1, last)
    with connect(warehouse.urls.reader) as connection:
        for number in range(40):
            start = first + timedelta(days=random.randrange(120))
            end = start + timedelta(days=random.randrange(90))
            question = LifetimeQuestion(start=start if number % 3 else None, end=end if number % 2 else None)
            span = (question.start or first, question.end or last)
            buyers = [buyer for buyer in everybody if buyer.orders_within(*span)]
            found = lifetime_value(connection, question, currency="USD", time_zone="UTC")
            expected = [
                {
                    "customer": {"id": buyer.customer_id, "name": buyer.name},
                    "cohort": buyer.first_day.replace(day=1).isoformat(),
                    "first_order_date": min(buyer.orders_within(*span)).isoformat(),
                    "last_order_date": max(buyer.orders_within(*span)).isoformat(),
                    **realised([buyer], *span),
                }
                for buyer in sorted(buyers, key=lambda one: (-one.net_within(*span), one.customer_id))
            ]
            assert [without_predictions(row) for row in found.rows] == expected, question
            assert without_predictions(found.meta["totals"]) == group(buyers, *span)
            by_cohort: dict[str, list[Buyer]] = defaultdict(list)
            for buyer in buyers:
                by_cohort[buyer.first_day.replace(day=1).isoformat()].append(buyer)
            cohorts = lifetime_value(
                connection, replace(question, by="cohort"), currency="USD", time_zone="UTC"
            )
            assert [without_predictions(row) for row in cohorts.rows] == [
                {"cohort": cohort, **group(by_cohort[cohort], *span)} for cohort in sorted(by_cohort)
            ]


def test_a_calibration_end_gives_the_parameters_predictions_and_error_of_a_direct_fit(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    lines = buying_lines(400, seed=1)
    publish_lines(lines)
    end, until = date(2023, 9, 30), max(line.sale_date for line in lines)
    model, by_customer, error = direct(lines, end, until, 26)
    found = client.get(f"{URL}?calibration_end={end}&horizon_weeks=26&limit=500&sort=customer").json
    assert found is not None
    block = found["meta"]["model"]
    assert (block["calibration_end"], block["horizon_weeks"], block["reason"]) == ("2023-09-30", 26, None)
    same(block["purchases"], {"r": model.r, "alpha": model.alpha, "a": model.a, "b": model.b})
    same(block["holdout"], {"calibration_end": "2023-09-30", "end_date": until.isoformat(), **error})
    for row in found["data"]:
        expected = by_customer.get(row["customer"]["id"])
        if expected is None:
            assert [row[name] for name in PREDICTED] == [None] * 4
        else:
            same(row, dict(zip(PREDICTED, expected, strict=True)))
    totals = found["meta"]["totals"]
    same(totals, {"predicted_purchases": sum(one[0] for one in by_customer.values())})
    same(totals, {"predicted_value": sum(one[3] for one in by_customer.values())})


def test_without_a_calibration_end_all_data_predicts_and_the_last_quarter_tests(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    lines = buying_lines(400, seed=2)
    publish_lines(lines)
    first, last = min(line.sale_date for line in lines), max(line.sale_date for line in lines)
    tested = last - timedelta(days=(last - first).days // 4)
    model, by_customer, _ = direct(lines, last, last, 52)
    _, _, error = direct(lines, tested, last, 52)
    found = client.get(f"{URL}?limit=500").json
    assert found is not None
    block = found["meta"]["model"]
    assert block["calibration_end"] == last.isoformat()
    same(block["purchases"], {"r": model.r, "alpha": model.alpha, "a": model.a, "b": model.b})
    same(block["holdout"], {"calibration_end": tested.isoformat(), "end_date": last.isoformat(), **error})
    assert len(found["data"]) == len(by_customer)
    for row in found["data"]:
        same(row, dict(zip(PREDICTED, by_customer[row["customer"]["id"]], strict=True)))


def test_the_models_kept_for_a_build_answer_as_fresh_ones_do(
    warehouse: Warehouse, publish_lines: Callable[[list[Line]], int]
) -> None:
    lines = buying_lines(200, seed=3)
    build_id = publish_lines(lines)
    last = max(line.sale_date for line in lines)
    ask = LifetimeQuestion(limit=500)
    with connect(warehouse.urls.reader) as connection:
        fresh = lifetime_value(connection, ask, currency="USD", time_zone="UTC")
    with connect(warehouse.urls.owner) as connection:
        models = fit_build(connection, build_id, last)
    assert [model.reason for model in models] == [None, None]
    with connect(warehouse.urls.reader) as connection:
        assert lifetime_value(connection, ask, currency="USD", time_zone="UTC") == fresh
        connection.rollback()
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "update core.lifetime_value_fits set purchases = jsonb_set(purchases, '{r}', '0.125')"
        )
    with connect(warehouse.urls.reader) as connection:
        kept = lifetime_value(connection, ask, currency="USD", time_zone="UTC")
    assert kept.meta["model"]["purchases"]["r"] == "0.125000"


def test_with_too_few_who_came_back_predictions_are_null_and_the_reason_is_told(
    client: StrictClient, golden: int
) -> None:
    found = client.get(URL).json
    assert found is not None
    block = found["meta"]["model"]
    assert block["purchases"] is None
    assert block["value"] is None
    assert block["holdout"] is None
    assert block["reason"] == "Only 3 customers bought again on a later day; the model needs 10."
    assert [[row[name] for name in PREDICTED] for row in found["data"]] == [[None] * 4] * 3
    assert [(row["customer"]["id"], row["net_revenue"], row["orders"]) for row in found["data"]] == [
        ("C101", "2648.10", 2),
        ("C789", "1596.4915", 2),
        ("C456", "467.976", 2),
    ]
    assert found["meta"]["totals"]["mean_net_revenue"] == "1570.855833"


def test_pages_of_every_order_hold_the_same_customers(
    client: StrictClient, warehouse: Warehouse, publish_lines: Callable[[list[Line]], int]
) -> None:
    lines = buying_lines(60, seed=4)
    with connect(warehouse.urls.owner) as connection:
        build_id = publish_lines(lines)
        tested = fit_build(connection, build_id, max(line.sale_date for line in lines))[0].calibration_end
    for sort in ("-predicted_value", "margin", "-probability_alive", "orders,-net_revenue", "cohort"):
        whole = client.get(f"{URL}?limit=500&sort={sort}&calibration_end={tested}").json
        assert whole is not None
        rows: list[Row] = []
        cursor = ""
        while True:
            page = client.get(f"{URL}?limit=17&sort={sort}&calibration_end={tested}{cursor}").json
            assert page is not None
            rows.extend(page["data"])
            if not page["page"]["has_more"]:
                break
            cursor = f"&cursor={page['page']['next_cursor']}"
        assert rows == whole["data"]
        name = sort.split(",")[0]
        values = [row[name.removeprefix("-")] for row in rows]
        known = [value if name == "cohort" else Decimal(str(value)) for value in values if value is not None]
        assert known == sorted(known, reverse=name.startswith("-"))
        assert values[len(known) :] == [None] * (len(values) - len(known))


@pytest.mark.parametrize(
    ("query", "status", "code", "parameter"),
    [
        ("calibration_end=2030-01-01", 422, "invalid_value", "calibration_end"),
        ("horizon_weeks=0", 422, "invalid_value", "horizon_weeks"),
        ("horizon_weeks=521", 422, "invalid_value", "horizon_weeks"),
        ("horizon_weeks=1.5", 400, "invalid_parameter", "horizon_weeks"),
        ("by=region", 400, "invalid_parameter", "by"),
        ("sort=mean_net_revenue", 422, "invalid_value", "sort"),
        ("by=cohort&sort=probability_alive", 422, "invalid_value", "sort"),
        ("start_date=2024-02-01&end_date=2024-01-01", 422, "invalid_range", "start_date"),
    ],
)
def test_what_cannot_be_answered_is_explained(
    client: StrictClient, golden: int, query: str, status: int, code: str, parameter: str
) -> None:
    answer = client.get(f"{URL}?{query}")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["errors"][0]["parameter"] == parameter


def test_a_calibration_end_before_the_first_order_has_no_model(client: StrictClient, golden: int) -> None:
    found = client.get(f"{URL}?calibration_end=2001-01-01").json
    assert found is not None
    assert found["meta"]["model"]["customers"] == 0
    assert found["meta"]["model"]["purchases"] is None
    assert len(found["data"]) == 3


def test_without_sales_there_is_no_model(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    publish_lines([])
    found = client.get(URL).json
    assert found is not None
    assert found["data"] == []
    assert found["meta"]["model"] is None
    assert found["meta"]["totals"]["customers"] == 0


def test_files_are_complete_and_exact(client: StrictClient, many_lines: list[Line]) -> None:
    whole = client.get(f"{URL}?limit=500").json
    assert whole is not None
    text = client.get(f"{URL}?format=csv").text.splitlines()
    assert text[0].startswith(
        "customer_id,customer_name,cohort,first_order_date,last_order_date,orders,net_revenue,cost"
    )
    assert [row.split(",")[0] for row in text[1:]] == [row["customer"]["id"] for row in whole["data"]]
    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"{URL}?format=parquet").data))
    stream = pyarrow.ipc.open_stream(client.get(f"{URL}?format=arrow").data).read_all()
    for file in (table, stream):
        for name in ("net_revenue", "margin", "predicted_value", "probability_alive"):
            exact = [None if row[name] is None else Decimal(row[name]) for row in whole["data"]]
            assert file.column(name).to_pylist() == exact
        cohorts = [date.fromisoformat(row["cohort"]) for row in whole["data"]]
        assert file.column("cohort").to_pylist() == cohorts


@pytest.mark.parametrize("route", ["lifetime-value", "segments", "segments?members=true", "cohorts"])
@pytest.mark.parametrize("format", ["csv", "parquet", "arrow"])
def test_every_analysis_of_customers_comes_in_every_format(
    client: StrictClient, golden: int, route: str, format: str
) -> None:
    answer = client.get(f"/api/v1/customers/{route}{'&' if '?' in route else '?'}format={format}")
    assert answer.status_code == 200
    assert answer.headers["X-Build-Id"] == str(golden)
    assert len(answer.data) > 0


def test_a_model_is_fitted_once_however_many_ask_at_once(
    make_client: Callable[..., StrictClient],
    publish_lines: Callable[[list[Line]], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_lines(buying_lines(200, seed=3))
    fitted: list[date] = []
    under_way = Lock()

    def fit(histories: Histories, until: date) -> Model:
        assert under_way.acquire(blocking=False)
        fitted.append(histories.end)
        model = fit_model(histories, until)
        under_way.release()
        return model

    monkeypatch.setattr("pipeline.answers.fits.fit_model", fit)
    app = make_client().application
    addresses = [f"{URL}?calibration_end=2023-09-30&limit={n}" for n in range(1, 4)] + [URL, f"{URL}?limit=9"]
    with ThreadPoolExecutor(5) as callers:
        answers = list(callers.map(lambda address: app.test_client().get(address), addresses))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(fitted) == len(set(fitted)) == 3


def test_who_waits_too_long_for_others_fits_is_told_so(
    client: StrictClient, publish_lines: Callable[[list[Line]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_lines(buying_lines(50, seed=3))
    monkeypatch.setattr(fits, "WAIT_SECONDS", 0.01)
    with fits._fitting:
        refused = client.get(URL)
    assert (refused.status_code, refused.json and refused.json["code"]) == (503, "query_timeout")
    assert client.get(URL).status_code == 200


def test_the_models_of_the_build_before_do_while_no_line_has_changed(
    client: StrictClient,
    warehouse: Warehouse,
    publish_lines: Callable[[list[Line]], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = buying_lines(200, seed=4)
    with connect(warehouse.urls.owner) as connection:
        fit_build(connection, publish_lines(lines), max(line.sale_date for line in lines))
    before = client.get(URL).json
    publish_lines(lines)
    monkeypatch.setattr("pipeline.answers.fits.fit_model", None)
    now = client.get(URL).json
    assert before is not None
    assert now is not None
    assert now["meta"]["model"] == before["meta"]["model"]


@pytest.mark.parametrize("route", ["lifetime-value", "segments", "cohorts"])
def test_an_explanation_names_the_tables_and_the_lines_behind(
    client: StrictClient, golden: int, route: str
) -> None:
    found = client.get(f"/api/v1/customers/{route}?explain=true&start_date=2024-01-01").json
    assert found is not None
    explain = found["meta"]["explain"]
    assert {"marts.customer_orders", "core.fct_order_lines"} <= set(explain["tables"])
    assert explain["lines"] == "/api/v1/orders?start_date=2024-01-01"


@pytest.mark.parametrize("route", ["lifetime-value", "segments", "cohorts"])
def test_an_unchanged_answer_is_304(client: StrictClient, golden: int, route: str) -> None:
    tag = client.get(f"/api/v1/customers/{route}").headers["ETag"]
    again = client.get(f"/api/v1/customers/{route}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
