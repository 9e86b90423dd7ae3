"""From a file to published numbers, against the SQL that a person would write for that file alone."""

from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.psql import run_psql
from benchmarks.shop import open_shop
from benchmarks.turns import in_turns
from pipeline.sample import write_sample
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import fresh_warehouse

_BY_HAND = Path(__file__).with_name("by_hand.sql")
_LOADED = """
    create table loaded (
        order_id text, product_id text, customer_id text, product_name text, category text, region text,
        sale_date date, quantity integer, unit_price numeric(18, 6), discount numeric(7, 6),
        shipping numeric(18, 6), payment_method text, customer_name text, customer_email text,
        customer_address text, unit_cost numeric(18, 6)
    )
"""


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Both ways in turns, each into a database of its own; they must come to the same revenue."""
    csv = folder / "sales.csv"
    write_sample(csv, rows=rows, seed=1)
    revenues = set()

    def ours() -> float:
        with open_shop(server) as shop:
            seconds, published = shop.refresh(csv)
        revenues.add(published.net_revenue_after)
        return seconds

    def by_hand() -> float:
        with fresh_warehouse(server) as warehouse:
            url = warehouse.urls.owner
            copy = f"\\copy loaded from '{csv}' (format csv, header)"
            seconds = run_psql(url, "begin", _LOADED, copy, file=_BY_HAND)
            with connect(url) as connection:
                row = connection.execute("select sum(net_revenue) from revenue_daily").fetchone()
        assert row is not None
        revenues.add(row[0])
        return seconds

    timings = in_turns({"ours": ours, "by hand": by_hand})
    assert len(revenues) == 1
    ours_seconds, hand_seconds = timings["ours"].median, timings["by hand"].median
    return [
        Figure(
            "from a file to published numbers (first load)", "hand-written SQL for that file alone", rows,
            ours_seconds, hand_seconds, ours_seconds / hand_seconds, "s", 1.5, "at most",
        )
    ]  # fmt: skip
