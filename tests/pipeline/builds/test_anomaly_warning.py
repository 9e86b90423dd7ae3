"""The asset check that warns of anomalies, in a whole refresh."""

import json
from datetime import date, timedelta
from pathlib import Path

from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.cli.commands import tillhouse


def test_an_anomaly_is_a_warning_with_its_figures_and_stops_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(70)]
    sales = tmp_path / "sales.csv"
    sales.write_text(
        "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\n"
        + "".join(f"O{day},P1,{day},1,{900 if day == days[65] else 100}\n" for day in days)
    )
    loaded = tillhouse("load", str(sales), environment=warehouse.environment)
    assert loaded.returncode == 0, loaded.stderr
    with connect(warehouse.urls.dagster) as connection:
        row = connection.execute(
            """
            select execution_status, evaluation_event from asset_check_executions
            where check_name = 'revenue_is_as_expected' and asset_key = '["marts", "revenue_anomalies"]'
            """
        ).fetchone()
    assert row is not None
    evaluation = json.loads(row[1])["dagster_event"]["event_specific_data"]
    assert (row[0], evaluation["severity"]["__enum__"]) == ("FAILED", "AssetCheckSeverity.WARN")
    assert evaluation["metadata"]["days"]["data"] == [
        {
            "sale_date": "2024-03-06",
            "net_revenue": "900.000000000000",
            "expected": "100.000000000000",
            "score": "160.000000",
        }
    ]
