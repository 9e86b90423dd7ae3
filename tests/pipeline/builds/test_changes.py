"""What each build changed, as the API tells it: old, new, and the deliveries that did it."""

from typing import Any

from api.app import close, create_app
from tests.pipeline.builds.conftest import Workbench

HEADER = "Order ID,Product ID,Product Name,Category,Region,Date of Sale,Quantity Sold,Unit Price\n"


def line(order: str, day: str, quantity: int, price: str) -> str:
    return f"{order},P,Thing,Hats,North,{day},{quantity},{price}\n"


def changes(workbench: Workbench, build_id: int, query: str = "") -> list[tuple[Any, ...]]:
    app = create_app(workbench.warehouse.settings, workbench.warehouse.urls)
    try:
        answer = app.test_client().get(f"/api/v1/builds/{build_id}/changes?limit=500{query}")
        assert answer.json is not None
        assert answer.status_code == 200, answer.json
        return [
            (row["sale_date"], row["measure"], row["old"], row["new"], row["difference"], row["batch_ids"])
            for row in answer.json["data"]
        ]
    finally:
        close(app)


def test_each_build_tells_what_it_changed_for_ever(workbench: Workbench) -> None:
    rest = "".join(line(f"R{n}", "2024-03-09", 1, "1.00") for n in range(60))
    workbench.land(HEADER + line("1", "2024-03-01", 2, "10.00") + line("2", "2024-03-02", 1, "5.50") + rest)
    first = workbench.build()
    [second_batch] = workbench.land(HEADER + line("1", "2024-03-01", 3, "10.00"))
    second = workbench.build()
    [third_batch] = workbench.land(HEADER + line("1", "2024-03-02", 3, "10.00"))
    third = workbench.build()
    assert (first.is_full, second.is_full, third.is_full) == (True, False, False)

    ids = [second_batch.batch_id]
    assert changes(workbench, second.build_id) == [
        ("2024-03-01", "net_revenue", "20.00", "30.00", "10.00", ids),
        ("2024-03-01", "gross_revenue", "20.00", "30.00", "10.00", ids),
        ("2024-03-01", "units", "2", "3", "1", ids),
    ]
    ids = [third_batch.batch_id]
    assert changes(workbench, third.build_id, "&start_date=2024-03-02") == [
        ("2024-03-02", "net_revenue", "5.50", "35.50", "30.00", ids),
        ("2024-03-02", "gross_revenue", "5.50", "35.50", "30.00", ids),
        ("2024-03-02", "units", "1", "4", "3", ids),
    ]
    assert changes(workbench, first.build_id, "&end_date=2024-03-01") == [
        ("2024-03-01", "net_revenue", "0.00", "20.00", "20.00", []),
        ("2024-03-01", "gross_revenue", "0.00", "20.00", "20.00", []),
        ("2024-03-01", "units", "0", "2", "2", []),
    ]
