"""Text that a spreadsheet would run, on every way out of the service."""

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipeline.assets import exports as export_job
from pipeline.warehouse.connect import connect
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.import_jobs import IMPORTS, job_of
from tests.api.published import Line
from tests.conftest import Warehouse

MakeService = Callable[..., StrictClient]
FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", " =1", "=cmd|'/c calc'!A1", '="a";"b"',
    "%0A=1", "|x",
)  # fmt: skip
GROUPS = ("product", "category", "region", "payment_method", "customer", "source")
# What a spreadsheet takes for a formula's start when it reads a cell (OWASP, "CSV Injection").
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def poisoned() -> list[Line]:
    """A line for each text, in every column that is text."""
    return [
        Line(
            text.strip() or text, f"P{n}{text}", date(2024, 1, 1 + n), 1, Decimal(-1), product_name=text,
            category=text,
            customer_id=text, customer_name=text, region=text, payment_method=text, source=text,
        )
        for n, text in enumerate(FORMULAS)
    ]  # fmt: skip


def check_harmless(data: str, *, numbers: frozenset[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(data, newline="")))
    assert rows
    for row in rows:
        for name, cell in row.items():
            if name not in numbers:
                assert not cell.startswith(STARTS), (name, cell)


AMOUNTS = frozenset(
    (
        "gross_revenue", "discounts", "returns", "net_revenue", "shipping", "total_revenue", "cost", "margin",
        "cost_coverage", "average_order_value", "share_of_total", "unit_price", "unit_cost", "quantity",
        "net_units",
        "margin_rate", "orders", "units",
    )
)  # fmt: skip


def test_no_cell_of_any_file_is_a_formula(
    service: MakeService,
    accounts: Accounts,
    warehouse: Warehouse,
    publish_lines: Callable[[list[Line]], int],
    tmp_path: Path,
) -> None:
    publish_lines(poisoned())
    client, headers = service(), accounts.add("root", "admin")
    for path in (
        "/api/v1/orders", "/api/v1/products", "/api/v1/customers", "/api/v1/products/margins",
        "/api/v1/products/top?within=category", "/api/v1/customers/segments?members=true",
        "/api/v1/customers/lifetime-value", "/api/v1/customers/summary?group_by=region",
        *(f"/api/v1/revenue?group_by={name}" for name in GROUPS),
    ):  # fmt: skip
        mark = "&" if "?" in path else "?"
        response = client.get(f"{path}{mark}format=csv", headers=headers)
        assert response.status_code == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("attachment")
        check_harmless(response.text, numbers=AMOUNTS)
    job = job_of(client.post("/api/v1/exports", headers=headers, json={"path": "/api/v1/orders"}))
    with connect(warehouse.urls.owner) as connection:
        row = connection.execute("select request from app.jobs where job_id = %s", (job["id"],)).fetchone()
    assert row is not None
    export_job._write(warehouse.settings, row[0], tmp_path / "file.csv")
    check_harmless((tmp_path / "file.csv").read_text(), numbers=AMOUNTS)


def test_rejected_rows_come_as_data_that_nothing_opens_as_a_page_or_runs(
    service: MakeService, accounts: Accounts, warehouse: Warehouse
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    texts = ["=cmd|'/c calc'!A1,x", "<script>alert(1)</script>", "\u2028{{7*7}}", "a\\u0000b"]
    sent = client.post(
        f"{IMPORTS}?dry_run=true&filename=%3Dx.csv", headers=headers, data=b"x", content_type="text/csv"
    )
    job = job_of(sent)
    with connect(warehouse.urls.owner) as connection:
        for number, text in enumerate(texts, start=2):
            connection.execute(
                "insert into app.import_rejects (job_id, file_number, row_number, reasons, raw_text)"
                " values (%s, 1, %s, '{bad}', %s)",
                (job["id"], number, text),
            )
    response = client.get(f"{IMPORTS}/{job['id']}/rejects", headers=headers)
    assert response.mimetype == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.json is not None
    assert [row["raw_text"] for row in response.json["data"]] == texts
    file = client.get(f"{IMPORTS}/{job['id']}/rejects?format=csv", headers=headers)
    assert file.mimetype == "text/csv"
    check_harmless(file.text, numbers=frozenset())
