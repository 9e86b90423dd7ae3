"""A file of order lines over HTTP, against psql that copies the same lines out of the same tables."""

import shutil
import time
import urllib.request
from datetime import date
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.psql import run_psql
from benchmarks.sales import write_history
from benchmarks.serving import Server, running
from benchmarks.shop import open_shop
from benchmarks.turns import in_turns
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer

MOST_LINES = 1_000_000
_PER_DAY = 10_000
# What a person would write for the same columns in the same order; amounts as they are stored.
_SAME_LINES = """
    select
        lines.sale_date, lines.source, lines.order_id, lines.product_id, product.current_name,
        lines.occurrence, lines.line_key, product.category, lines.customer_id, customer.customer_name,
        lines.region, lines.payment_method, lines.quantity, lines.unit_price, lines.discount,
        lines.shipping, lines.unit_cost, lines.gross_revenue, lines.discounts, lines.returns,
        lines.net_revenue, lines.tax, lines.cost, lines.batch_id, batches.file_name, lines.row_number
    from core.fct_order_lines as lines
    inner join core.dim_product as product using (product_key)
    left join core.dim_customer as customer on customer.customer_id = lines.customer_id
    left join core.batches as batches on batches.batch_id = lines.batch_id
    where lines.sale_date >= '{start}'
    order by
        lines.sale_date desc, lines.source desc, lines.order_id desc, lines.product_id desc,
        lines.occurrence desc, lines.line_key desc
"""


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Both in turns, up to a million lines; and the memory that ten times as many lines take."""
    csv, out = folder / "history.csv", folder / "out.csv"
    write_history(csv, rows=rows, per_day=_PER_DAY)
    with open_shop(server) as shop:
        shop.refresh(csv)
        owner = shop.warehouse.urls.owner
        start, lines = _first_day(owner, MOST_LINES)
        early, _ = _first_day(owner, max(_PER_DAY, lines // 10))
        copy = " ".join(_SAME_LINES.format(start=start).split())
        with running("api", shop.warehouse.environment) as api:
            _export(api, early, out)
            small = api.peak_bytes
            timings = in_turns(
                {
                    "ours": lambda: _export(api, start, out),
                    "psql": lambda: run_psql(owner, f"\\copy ({copy}) to '{out}' (format csv, header)"),
                }
            )
            large = api.peak_bytes
    ours, psql = timings["ours"].median, timings["psql"].median
    return [
        Figure("a CSV file of order lines, by the API", "`psql \\copy` of the same lines", lines, ours, psql,
               ours / psql, "s", 1.5, "at most"),
        Figure("the API's peak memory after that file", "after one with a tenth of the lines", lines,
               large / 2**20, small / 2**20, large / small, "MB", 1.1, "at most"),
    ]  # fmt: skip


def _first_day(url: str, most: int) -> tuple[date, int]:
    """The first day since which there are no more than ``most`` lines, and how many there are."""
    with connect(url) as connection:
        row = connection.execute(
            """
            select sale_date, lines
            from (
                select sale_date, sum(sum(line_count)) over (order by sale_date desc) as lines
                from marts.revenue_daily
                group by sale_date
            ) as since
            where lines <= %s
            order by sale_date limit 1
            """,
            (most,),
        ).fetchone()
    assert row is not None
    return row[0], int(row[1])


def _export(api: Server, start: date, out: Path) -> float:
    address = f"http://127.0.0.1:{api.port}/api/v1/orders?format=csv&start_date={start}"
    began = time.perf_counter()
    with urllib.request.urlopen(address) as answer, out.open("wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
    return time.perf_counter() - began
