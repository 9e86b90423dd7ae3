"""Which delivery a line came from: a build of the change says the same as one of everything."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.landing.voiding import VoidRequest, void
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.oracle import Oracle, Row, csv_text
from tests.pipeline.builds.test_builds_equal_the_oracle import (
    assert_nothing_left_for_a_full_build,
    assert_published,
    new_row,
    row_named,
)
from tests.pipeline.builds.test_refunds import REFUNDS, refund

DAY = date(2024, 1, 5)
ORDERS = tuple("ABCDEF")
WHOLE: dict[str, Any] = {"mode": "overwrite", "force": True}
FULL = WHOLE | {"delivery": "full"}


def origins(workbench: Workbench) -> dict[str, int]:
    """The batch of each line, by order."""
    rows = workbench.rows(
        "select order_id, batch_id from core.fct_order_lines where source = 'default' and refund_id is null"
    )
    return dict(rows)


def built_as_a_change(workbench: Workbench) -> None:
    assert not workbench.build().is_full


@pytest.mark.parametrize("options", [WHOLE, FULL], ids=["overwrites", "full deliveries"])
def test_a_line_that_went_or_changed_and_came_back_between_two_builds_is_new(
    workbench: Workbench, options: dict[str, Any]
) -> None:
    rows = [row_named(order, f"Name {order}", DAY) for order in ORDERS]
    # The first goes.
    _, changed, *others = rows
    workbench.land(csv_text(rows))
    # Enough lines of somebody else for two overwrites to go as a change.
    workbench.land(csv_text([row_named(f"X{n}", "", DAY) for n in range(60)]), source="other")
    workbench.build()
    assert workbench.rows("select current_name from core.dim_product where is_current") == [("Name F",)]
    workbench.land(csv_text([replace(changed, price=changed.price + 1), *others]), **options)
    workbench.land(csv_text(rows), **options)
    built_as_a_change(workbench)
    assert origins(workbench) == {"A": 4, "B": 4} | dict.fromkeys("CDEF", 1)
    # Of one day's names the latest delivery's, then its latest row's.
    assert workbench.rows("select current_name from core.dim_product where is_current") == [("Name B",)]
    assert_nothing_left_for_a_full_build(workbench)
    assert origins(workbench) == {"A": 4, "B": 4} | dict.fromkeys("CDEF", 1)


@pytest.mark.parametrize(
    ("options", "batch_of_what_returned"), [(WHOLE, 4), (FULL, 1)], ids=["overwrite", "full delivery"]
)
def test_of_two_files_of_one_overwrite_a_line_names_the_one_that_brought_its_values(
    workbench: Workbench, options: dict[str, Any], batch_of_what_returned: int
) -> None:
    rows = [row_named(order, "Thing", DAY) for order in ORDERS]
    deliver(workbench, oracle := Oracle(), {"mode": "append"}, rows)
    # Enough lines of somebody else for the overwrite to go as a change.
    fillers = [row_named(f"X{n}", "", DAY) for n in range(60)]
    deliver(workbench, oracle, {"mode": "append", "source": "other"}, fillers)
    workbench.build()
    first, second, *others = rows
    dearer, cheaper = replace(first, price=first.price + 1), replace(second, price=second.price - 1)
    # The second file has the first line as it was, and repeats what the first one made of the second.
    files = [[dearer, cheaper], [first, cheaper, *others]]
    results = workbench.land(*map(csv_text, files), **options)
    calls = [(result.batch_id or 0, lines) for result, lines in zip(results, files, strict=True)]
    oracle.deliver("default", "overwrite", calls, delivery=options.get("delivery", "partial"))
    built_as_a_change(workbench)
    expected = {"A": batch_of_what_returned, "B": 3} | dict.fromkeys("CDEF", 1)
    assert origins(workbench) == expected
    assert_published(workbench, oracle)
    assert_nothing_left_for_a_full_build(workbench)
    assert origins(workbench) == expected


def test_a_line_that_an_overwrite_could_not_read_keeps_its_origin_when_it_is_repeated(
    workbench: Workbench,
) -> None:
    rows = [row_named(order, "Thing", DAY) for order in ORDERS]
    workbench.land(csv_text(rows))
    workbench.build()
    unreadable, *others = rows
    workbench.land(csv_text([replace(unreadable, is_broken=True), *others]), **WHOLE)
    workbench.land(csv_text([unreadable]))
    built_as_a_change(workbench)
    assert origins(workbench) == dict.fromkeys(ORDERS, 1)
    assert_nothing_left_for_a_full_build(workbench)
    assert origins(workbench) == dict.fromkeys(ORDERS, 1)


def test_a_line_names_no_batch_that_was_voided(workbench: Workbench) -> None:
    rows = [row_named(order, "Thing", DAY) for order in ORDERS]
    workbench.land(csv_text(rows))
    workbench.land(csv_text([*rows, row_named("G", "Thing", DAY)]))
    workbench.build()
    assert origins(workbench) == dict.fromkeys(ORDERS, 1) | {"G": 2}
    void(workbench.connection, VoidRequest((1,)))
    workbench.build()
    assert origins(workbench) == dict.fromkeys((*ORDERS, "G"), 2)
    void(workbench.connection, VoidRequest((1,), restores=True))
    workbench.build()
    assert origins(workbench) == dict.fromkeys(ORDERS, 1) | {"G": 2}
    assert_nothing_left_for_a_full_build(workbench)


def test_a_refund_that_is_repeated_keeps_its_origin_and_its_lines_follow_it(workbench: Workbench) -> None:
    rows = [replace(row_named(o, "Thing", DAY), price=Decimal(9), discount=Decimal(0)) for o in ORDERS]
    workbench.land(csv_text(rows))
    workbench.build()
    first, second = "R1,A,,1,,2024-02-01", "R2,B,,1,,2024-02-01"
    refund(workbench, first, second)
    publication = refund(workbench, first, second, "R3,C,,1,,2024-02-01")
    assert publication.rows_changed["core.fct_refunds"] == {"written": 1, "deleted": 0}
    assert publication.rows_changed["core.fct_order_lines"] == {"written": 1, "deleted": 0}
    # Another amount and back between two builds; and another reason alone.
    workbench.land(REFUNDS + "R1,A,,2,,2024-02-01\n", feed="refunds")
    workbench.land(f"{REFUNDS.strip()},Reason\n{first},\n{second},late\n", feed="refunds")
    built_as_a_change(workbench)
    expected = [("R1", 5, 2), ("R2", 5, 3), ("R3", 3, 4)]
    for table in ("fct_refunds", "fct_order_lines"):
        rows_of_refunds = f"from core.{table} where refund_id is not null order by refund_id"
        assert workbench.rows(f"select refund_id, batch_id, row_number {rows_of_refunds}") == expected
    assert_nothing_left_for_a_full_build(workbench)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lines_that_come_and_go_in_any_way_come_from_where_a_computation_from_scratch_says(
    workbench: Workbench, seed: int
) -> None:
    dice = random.Random(seed)
    oracle = Oracle()
    versions = [
        (row, replace(row, price=row.price + 1, name="Other"))
        for row in (replace(new_row(dice), order_id=f"O{n}", day=DAY) for n in range(12))
    ]
    fillers = [replace(new_row(dice), order_id=f"F{n}", product_id="P0") for n in range(300)]
    deliver(workbench, oracle, {"mode": "append", "source": "other"}, fillers)
    deliver(workbench, oracle, {"mode": "append"}, [first for first, _ in versions])
    workbench.build()
    for _ in range(10):
        options = dice.choice([{"mode": "append"}, WHOLE, FULL])
        rows = [dice.choice(pair) for pair in versions if dice.random() < 0.6]
        rows = [replace(row, is_broken=dice.random() < 0.15) for row in rows]
        deliver(workbench, oracle, options, rows)
        if dice.random() < 0.4:
            built_as_a_change(workbench)
            assert_published(workbench, oracle)
    workbench.build()
    assert_published(workbench, oracle)
    assert_nothing_left_for_a_full_build(workbench)


def deliver(workbench: Workbench, oracle: Oracle, options: dict[str, Any], rows: list[Row]) -> None:
    [result] = workbench.land(csv_text(rows), **options)
    if result.status == "landed":
        source = options.get("source", "default")
        oracle.deliver(source, options["mode"], [(result.batch_id or 0, rows)])
