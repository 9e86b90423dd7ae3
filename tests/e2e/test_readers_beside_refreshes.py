"""A reader that polls the API through ten refreshes sees whole builds and nothing else."""

import threading
from collections import defaultdict
from decimal import Decimal
from typing import Any

from api.app import create_app
from tests.pipeline.builds.conftest import Workbench

HEADER = (
    "Order ID,Product ID,Customer ID,Product Name,Category,Region,Date of Sale,Quantity Sold,Unit Price\n"
)
ROUTES = ("total", "by-region", "by-category", "by-product?limit=500")
MEASURES = ("gross_revenue", "net_revenue", "units")


def lines(first: int, last: int, price: str) -> str:
    return HEADER + "".join(
        f"O{n},P{n % 50},C{n % 90},Thing {n % 50},Category {n % 6},Region {n % 4},"
        f"2024-{n % 12 + 1:02}-{n % 28 + 1:02},{n % 4 + 1},{price}\n"
        for n in range(first, last)
    )


def test_total_equals_the_sum_of_its_parts_in_every_snapshot(workbench: Workbench) -> None:
    workbench.land(lines(0, 2000, "10.00"))
    workbench.build()
    settings = workbench.warehouse.settings.model_copy(update={"rate_limit": "1000000/minute"})
    client = create_app(settings, workbench.warehouse.urls).test_client()
    seen: dict[int, set[tuple[Decimal, ...]]] = defaultdict(set)
    stop, problems = threading.Event(), []

    def poll() -> None:
        while not stop.is_set():
            for route in ROUTES:
                answer = client.get(f"/api/v1/revenue/{route}")
                if answer.status_code != 200:
                    problems.append(answer.get_data(as_text=True))
                    return
                body = answer.get_json()
                seen[body["meta"]["build_id"]].add(sums(body["data"]))

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        for number in range(10):
            # Every third refresh is a full one; one of the others rewrites nearly everything.
            workbench.land(lines(number * 7, 2000 if number == 4 else number * 7 + 60, f"{11 + number}.25"))
            workbench.build(full=number % 3 == 2)
    finally:
        stop.set()
        reader.join()
    assert problems == []
    assert len(seen) >= 8
    assert {build: len(figures) for build, figures in seen.items()} == dict.fromkeys(seen, 1)
    recorded = workbench.rows(
        "select build_id, net_revenue_after from core.builds where status = 'published'"
    )
    after = dict(recorded)
    assert {build: next(iter(figures))[1] for build, figures in seen.items()} == {
        build: after[build] for build in seen
    }


def sums(data: dict[str, Any] | list[dict[str, Any]]) -> tuple[Decimal, ...]:
    rows = data if isinstance(data, list) else [data]
    return tuple(sum((Decimal(row[name]) for row in rows), Decimal(0)) for name in MEASURES)
