"""Files into the raw tables: what lands, what is skipped, refused, guarded."""
from pathlib import Path

from pipeline.landing import LandingRequest, land
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

SAMPLE = Path(__file__).parents[2] / "data" / "sales_sample.csv"


def test_the_six_lines_land(warehouse: Warehouse) -> None:
    [result] = land(warehouse.urls.owner, LandingRequest((SAMPLE,)), lambda _: None)
    print(result)
    with connect(warehouse.urls.owner) as c:
        for t in ("batches", "order_lines", "products", "customers", "quarantine"):
            print(t, c.execute(f"select * from raw.{t}").fetchall())
    assert result.status == "landed"
