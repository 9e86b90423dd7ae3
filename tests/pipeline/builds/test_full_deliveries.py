"""Everything there is, delivered every night: what lands is what it changes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from pipeline.landing import BatchResult
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.oracle import Oracle, Row, csv_text
from tests.pipeline.builds.test_builds_equal_the_oracle import (
    assert_nothing_left_for_a_full_build,
    assert_published,
)

LINES, EACH, NIGHTS = 3_000, 10, 30
NET = "select sum(net_revenue) from core.fct_order_lines"
STORED = "select count(*) from raw.order_lines"


def test_thirty_nights_store_what_each_changes(workbench: Workbench) -> None:
    rows = {number: line(number) for number in range(LINES)}
    oracle = Oracle()
    night(workbench, oracle, rows)
    workbench.build()
    assert workbench.rows(STORED) == [(LINES,)]
    stored = LINES
    for tonight in range(1, NIGHTS + 1):
        # As many lines are gone, corrected, and new.
        for number in sorted(rows)[:EACH]:
            del rows[number]
        for number in sorted(rows)[200 : 200 + EACH]:
            rows[number] = replace(rows[number], price=rows[number].price + tonight)
        for number in range(EACH):
            rows[LINES + tonight * EACH + number] = line(LINES + tonight * EACH + number)
        result = night(workbench, oracle, rows)
        stored += 2 * EACH
        assert (result.rows_read, result.rows_accepted) == (LINES, LINES)
        assert result.rows_unchanged == LINES - 2 * EACH
        assert workbench.rows(STORED) == [(stored,)]
        assert workbench.rows("select count(*) from raw.deleted_lines") == [(tonight * EACH,)]
        if tonight % 10 == 0:
            published = workbench.build()
            assert published.is_full is False
            assert workbench.rows(NET) == [(sum((row.price for row in rows.values()), Decimal(0)),)]
            assert_published(workbench, oracle)
    assert_nothing_left_for_a_full_build(workbench)
    assert_published(workbench, oracle)


def test_a_build_rewrites_what_the_night_changed_and_no_more(workbench: Workbench) -> None:
    rows = {number: line(number) for number in range(400)}
    oracle = Oracle()
    night(workbench, oracle, rows)
    workbench.build()
    rows[7] = replace(rows[7], price=Decimal("99.99"))
    night(workbench, oracle, rows)
    changed = workbench.build().rows_changed["core.fct_order_lines"]
    assert changed == {"deleted": 0, "written": 1}
    assert_published(workbench, oracle)


def test_a_truncated_export_is_refused_and_changes_nothing(workbench: Workbench) -> None:
    rows = {number: line(number) for number in range(400)}
    oracle = Oracle()
    night(workbench, oracle, rows)
    workbench.build()
    short = {number: rows[number] for number in range(300)}
    [result] = workbench.land(csv_text(short.values()), mode="overwrite", delivery="full")
    assert result.status == "refused"
    assert result.message == (
        "this overwrite would delete 100 of the 400 lines of source 'default', more than a fifth; if that is "
        "meant, load it with --force"
    )
    assert workbench.rows(STORED) == [(400,)]
    assert workbench.rows("select count(*) from raw.deleted_lines") == [(0,)]
    assert workbench.start() is None


def test_nights_that_no_build_has_taken_in_are_compared_with_one_another(workbench: Workbench) -> None:
    rows = {number: line(number) for number in range(50)}
    oracle = Oracle()
    night(workbench, oracle, rows)
    workbench.build()
    gone = rows.pop(3)
    rows[4] = replace(rows[4], price=Decimal(77))
    night(workbench, oracle, rows)
    # The next night has the first one's state again.
    rows[3], rows[4] = gone, line(4)
    night(workbench, oracle, rows)
    workbench.build()
    assert workbench.rows(NET) == [(sum((row.price for row in rows.values()), Decimal(0)),)]
    assert workbench.rows("select count(*) from core.fct_order_lines") == [(50,)]
    assert_nothing_left_for_a_full_build(workbench)


def test_an_overwrite_that_is_not_built_yet_hides_nothing_from_the_next_night(workbench: Workbench) -> None:
    rows = {number: line(number) for number in range(50)}
    oracle = Oracle()
    night(workbench, oracle, rows)
    workbench.build()
    half = [rows[number] for number in range(25)]
    [result] = workbench.land(csv_text(half), mode="overwrite", force=True)
    oracle.deliver("default", "overwrite", [(result.batch_id or 0, half)])
    night(workbench, oracle, rows)
    workbench.build()
    assert workbench.rows("select count(*) from core.fct_order_lines") == [(50,)]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_row_that_cannot_be_read_tonight_keeps_its_line(workbench: Workbench) -> None:
    rows = {number: line(number) for number in range(50)}
    oracle = Oracle()
    night(workbench, oracle, rows)
    workbench.build()
    rows[9] = replace(rows[9], is_broken=True)
    result = night(workbench, oracle, rows)
    assert (result.rows_accepted, result.rows_quarantined, result.rows_unchanged) == (49, 1, 49)
    workbench.build()
    assert workbench.rows("select count(*) from core.fct_order_lines") == [(50,)]
    assert_published(workbench, oracle)


def test_two_files_of_one_night_are_the_whole_truth_together(workbench: Workbench) -> None:
    rows = [line(number) for number in range(60)]
    files = [csv_text(rows[:30]), csv_text(rows[30:])]
    workbench.land(*files, mode="overwrite", delivery="full")
    workbench.build()
    rows[31] = replace(rows[31], price=Decimal(5))
    del rows[10:12]
    first, second = workbench.land(
        csv_text(rows[:28]), csv_text(rows[28:]), mode="overwrite", delivery="full"
    )
    assert (first.rows_unchanged, second.rows_unchanged) == (28, 29)
    workbench.build()
    assert workbench.rows(NET) == [(sum((row.price for row in rows), Decimal(0)),)]
    assert_nothing_left_for_a_full_build(workbench)


def test_of_a_line_in_two_files_of_one_night_the_last_counts(workbench: Workbench) -> None:
    rows = [line(number) for number in range(10)]
    workbench.land(csv_text(rows), mode="overwrite", delivery="full")
    workbench.build()
    # The first file has another price; the second one has the line as it was.
    dearer = replace(rows[3], price=Decimal(500))
    workbench.land(csv_text([*rows[:3], dearer]), csv_text(rows[3:]), mode="overwrite", delivery="full")
    workbench.build()
    assert workbench.rows(NET) == [(sum((row.price for row in rows), Decimal(0)),)]
    assert_nothing_left_for_a_full_build(workbench)


def night(workbench: Workbench, oracle: Oracle, rows: dict[int, Row]) -> BatchResult:
    """Deliver everything there is."""
    delivered = list(rows.values())
    [result] = workbench.land(csv_text(delivered), mode="overwrite", delivery="full")
    assert result.status == "landed", result.message
    oracle.deliver("default", "overwrite", [(result.batch_id or 0, delivered)])
    return result


def line(number: int) -> Row:
    """A line of an order of its own."""
    return Row(
        order_id=f"O{number}",
        product_id=f"P{number % 20}",
        name=f"Thing {number % 20}",
        category=f"Kind {number % 4}",
        customer_id=f"C{number % 50}",
        address="",
        region=f"Region {number % 3}",
        day=date(2024, 1 + number % 12, 1 + number % 28),
        quantity=1,
        price=Decimal(number % 90 + 1),
        discount=Decimal(0),
        shipping=Decimal(0),
        cost=None,
        payment="Card",
    )
