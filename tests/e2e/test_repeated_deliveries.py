"""The same sales delivered in other ways: again, in overlapping parts, and overwritten."""

from pathlib import Path

import pytest

from pipeline.sample import write_sample
from tests.pipeline.builds.conftest import Workbench

ROWS = 6_000


@pytest.fixture
def sales(tmp_path: Path) -> list[str]:
    """A header and lines of sales; each order's lines lie together."""
    path = tmp_path / "sales.csv"
    write_sample(path, rows=ROWS, seed=5)
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == ROWS + 1
    return lines


def cut(lines: list[str], at: int) -> int:
    """The first position from ``at`` on at which another order begins."""
    order = lines[0].split(",").index("Order ID")
    while lines[at].split(",")[order] == lines[at - 1].split(",")[order]:
        at += 1
    return at


def fact(workbench: Workbench, source: str) -> list[tuple[object, ...]]:
    """The published lines of a source, without their provenance."""
    return workbench.rows(
        f"""
        select
            order_id, product_id, occurrence, product_key, customer_key, region, payment_method, sale_date,
            quantity, unit_price, discount, shipping, unit_cost, net_revenue, cost
        from core.fct_order_lines where source = '{source}'
        order by order_id, product_id, occurrence
        """
    )


def test_overlapping_parts_cut_between_orders_are_the_whole(workbench: Workbench, sales: list[str]) -> None:
    first, second = cut(sales, ROWS * 2 // 3), cut(sales, ROWS // 3)
    workbench.land("".join(sales), source="whole")
    workbench.build()
    # The later part first, as late files come.
    workbench.land("".join([sales[0], *sales[second:]]), source="parts")
    workbench.build()
    workbench.land("".join(sales[:first]), source="parts")
    workbench.build()
    assert len(fact(workbench, "whole")) == ROWS
    assert fact(workbench, "parts") == fact(workbench, "whole")
    sums = workbench.rows(
        "select sum(net_revenue), sum(cost), sum(shipping) from marts.revenue_daily group by source"
    )
    assert len(sums) == 2
    assert sums[0] == sums[1]


def test_the_same_file_again_is_skipped_and_builds_nothing(workbench: Workbench, sales: list[str]) -> None:
    workbench.land("".join(sales))
    workbench.build()
    assert [result.status for result in workbench.land("".join(sales))] == ["skipped"]
    assert workbench.start() is None


def test_an_overwrite_with_a_shorter_file_leaves_exactly_the_shorter_file(
    workbench: Workbench, sales: list[str]
) -> None:
    shorter = "".join(sales[: cut(sales, ROWS * 9 // 10)])
    workbench.land("".join(sales), source="whole")
    workbench.land(shorter, source="shorter")
    workbench.build()
    [result] = workbench.land(shorter, source="whole", mode="overwrite")
    assert result.status == "landed"
    publication = workbench.build()
    assert not publication.is_full
    assert fact(workbench, "whole") == fact(workbench, "shorter")
    assert publication.lines_removed == ROWS - len(fact(workbench, "shorter"))
    assert publication.lines_added == 0
    # Much shorter is taken for a mistake.
    [refused] = workbench.land("".join(sales[:100]), source="whole", mode="overwrite")
    assert refused.status == "refused"
    assert fact(workbench, "whole") == fact(workbench, "shorter")
