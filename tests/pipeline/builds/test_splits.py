"""A file, and any parts of it that hold whole orders: the same numbers."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.oracle import Row, csv_text
from tests.pipeline.builds.test_builds_equal_the_oracle import SUMS, new_row
from tests.pipeline.landing.calls import asked, landed, one
from tests.pipeline.landing.files import bytes_file

VALUES = "order_id, product_id, occurrence, region, sale_date, quantity, unit_price, discount, shipping"
_numbers = count(1)


@pytest.fixture(scope="module")
def shared_warehouse(postgres_server: EmbeddedServer) -> Iterator[Warehouse]:
    """One warehouse for all examples: each has sources of its own."""
    with fresh_warehouse(postgres_server) as made:
        yield made


@st.composite
def files(draw: st.DrawFn) -> list[Row]:
    """Some orders, their lines mixed; products repeat, a few rows are equal, a few broken."""
    dice = random.Random(draw(st.integers(0, 10**6)))
    rows = [
        replace(new_row(dice), order_id=f"O{dice.randint(1, 6)}", product_id=f"P{dice.randint(1, 2)}")
        for _ in range(draw(st.integers(2, 30)))
    ]
    rows += dice.choices(rows, k=draw(st.integers(0, 4)))
    dice.shuffle(rows)
    return [replace(row, is_broken=dice.random() < 0.1) for row in rows]


@st.composite
def splits(draw: st.DrawFn, rows: Sequence[Row]) -> list[list[Row]]:
    """Parts in any order: each holds some orders whole, an order may be in several, and all are in one."""
    orders = sorted({row.order_id for row in rows})
    chosen = [draw(st.sets(st.sampled_from(orders), min_size=1)) for _ in range(draw(st.integers(1, 4)))]
    rest = set(orders).difference(*chosen)
    parts = draw(st.permutations([*chosen, rest] if rest else chosen))
    return [[row for row in rows if row.order_id in part] for part in parts]


def live(warehouse: Warehouse, source: str) -> Counter[tuple[Any, ...]]:
    """The newest version of each of a source's lines."""
    newest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for line in asked(
        warehouse,
        f"select {VALUES} from raw.order_lines join raw.batches using (batch_id) where source = %s"
        " order by batch_id, row_number",
        source,
    ):
        newest[line[:3]] = line
    return Counter(newest.values())


def meant(rows: Sequence[Row]) -> Counter[tuple[Any, ...]]:
    """The lines of a file, computed from its rows: an equal row is no line, but counts as an occurrence."""
    occurrences: dict[tuple[str, str], int] = defaultdict(int)
    seen: set[str] = set()
    found: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        occurrences[row.order_id, row.product_id] += 1
        if not row.is_broken and row.text() not in seen:
            key = (row.order_id, row.product_id, occurrences[row.order_id, row.product_id])
            region = row.region or "Unspecified"
            found[(*key, region, row.day, row.quantity, row.price, row.discount, row.shipping)] += 1
        seen.add(row.text())
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_split_between_orders_gives_the_lines_of_the_whole_file(
    shared_warehouse: Warehouse, tmp_path: Path, data: st.DataObject
) -> None:
    rows = data.draw(files(), "rows")
    parts = data.draw(splits(rows), "parts")
    number = next(_numbers)
    whole = one(shared_warehouse, as_file(tmp_path, rows), source=f"whole {number}")
    paths = [as_file(tmp_path, part, f"{at}.csv") for at, part in enumerate(parts)]
    results = [one(shared_warehouse, path, source=f"parts {number}") for path in paths]
    # A part with broken rows alone is refused.
    assume(all(result.status in ("landed", "skipped") for result in (whole, *results)))
    expected = meant(rows)
    assert live(shared_warehouse, f"whole {number}") == expected
    assert live(shared_warehouse, f"parts {number}") == expected


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_parts_of_one_overwrite_are_the_whole_file_too(
    shared_warehouse: Warehouse, tmp_path: Path, data: st.DataObject
) -> None:
    rows = data.draw(files(), "rows")
    parts = data.draw(splits(rows), "parts")
    source = f"overwritten {next(_numbers)}"
    paths = [as_file(tmp_path, part, f"{at}.csv") for at, part in enumerate(parts)]
    results = landed(shared_warehouse, *paths, source=source, mode="overwrite")
    assume(all(result.status == "landed" for result in results))
    assert live(shared_warehouse, source) == meant(rows)


def as_file(folder: Path, rows: Sequence[Row], name: str = "whole.csv") -> Path:
    return bytes_file(folder, csv_text(rows).encode(), name=name)


def test_what_is_published_of_parts_equals_what_is_published_of_the_whole(workbench: Workbench) -> None:
    dice = random.Random(7)
    rows = [new_row(dice) for _ in range(150)]
    rows += rows[:3]
    orders = sorted({row.order_id for row in rows})
    parts = [
        [row for row in rows if row.order_id in part]
        for part in (orders[10:], orders[5:15], orders[:10], orders[5:15])
    ]
    for source, each in (("whole", [rows]), ("parts", parts)):
        for part in each:
            [result] = workbench.land(csv_text(part), source=source)
            assert result.status == "landed"
            workbench.build()
    for query in (
        "select order_id, line_key, customer_id, region, payment_method, sale_date, quantity, unit_price,"
        " discount, shipping, net_revenue from core.fct_order_lines where source = '{}'",
        "select order_id, order_date, is_sale, customer_id, net_revenue from core.fct_orders"
        " where source = '{}'",
        f"select sale_date, region, category, payment_method, {SUMS} from marts.revenue_daily"
        " where source = '{}'",
        "select order_date, orders, return_orders from marts.orders_daily where source = '{}'",
    ):
        whole, of_parts = (Counter(workbench.rows(query.format(source))) for source in ("whole", "parts"))
        assert whole
        assert of_parts == whole
