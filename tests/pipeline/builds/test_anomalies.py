"""Which days are far from what their weekday and season suggest, in shops of a known rhythm."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pipeline.builds.anomalies import Anomaly, anomalies_of_build
from tests.pipeline.builds.conftest import Workbench

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\n"
MONDAY = date(2024, 1, 1)


def sales(days: int, revenue: Callable[[int], int | str], *, start: int = 0) -> str:
    """One order a day, for the revenue of each day's number (0 is no order)."""
    return HEADER + "".join(
        f"O{n},P1,{MONDAY + timedelta(days=n)},1,{revenue(n)}\n"
        for n in range(start, start + days)
        if revenue(n)
    )


def judged(workbench: Workbench, number: int) -> tuple[Any, ...]:
    """The day's expected revenue, spread, score, and whether it is an anomaly."""
    [row] = workbench.rows(
        f"""
        select expected, spread, score, is_anomaly from marts.revenue_anomalies
        where sale_date = date '{MONDAY}' + {number}
        """
    )
    return row


def anomalies(workbench: Workbench) -> list[int]:
    """The numbers of the days that are anomalies."""
    found = workbench.rows(
        f"select sale_date - date '{MONDAY}' from marts.revenue_anomalies where is_anomaly order by 1"
    )
    return [row[0] for row in found]


def test_a_score_is_the_distance_from_the_weekdays_median_in_median_deviations(workbench: Workbench) -> None:
    # Mondays grow by 10 a week from 100 on, but for the ninth, whose 180 are 500.
    workbench.land(sales(17 * 7, lambda n: 500 if n == 56 else 100 + n // 7 * 10 if n % 7 == 0 else 100))
    workbench.build()
    # Median of 100..260 without 180; deviations 10, 10, .. 80, 80, whose median is 45.
    assert judged(workbench, 56) == (180, Decimal("66.717"), Decimal("4.796379"), True)
    assert anomalies(workbench) == [56]


def test_a_shop_of_equal_days_may_differ_by_a_twentieth_times_the_limit(workbench: Workbench) -> None:
    odd: dict[int, int | str] = {70: "117.50", 71: "117.51", 72: "82.49", 73: 0}
    workbench.land(sales(140, lambda n: odd.get(n, 100)))
    workbench.build()
    assert judged(workbench, 10) == (100, 5, 0, False)
    assert judged(workbench, 70) == (100, 5, Decimal("3.5"), False)
    assert judged(workbench, 71) == (100, 5, Decimal("3.502"), True)
    assert judged(workbench, 73) == (100, 5, -20, True)
    assert anomalies(workbench) == [71, 72, 73]


def test_a_shop_that_is_closed_on_sundays_may_open_on_one_of_them(workbench: Workbench) -> None:
    odd = {69: 100, 76: 1000}
    workbench.land(sales(140, lambda n: odd.get(n, 0 if n % 7 == 6 else 100)))
    workbench.build()
    assert judged(workbench, 6) == (0, 100, 0, False)
    # Within eight weeks, 96 weekdays at 100 and the other Sunday at 1000.
    assert judged(workbench, 69) == (0, Decimal("109.278350515464"), Decimal("0.915094"), False)
    assert judged(workbench, 76) == (0, 100, 10, True)
    assert anomalies(workbench) == [76]


def test_a_shop_that_sells_now_and_then_has_no_anomalies(workbench: Workbench) -> None:
    workbench.land(sales(200, lambda n: 0 if n % 9 else 80 + n % 5))
    workbench.build()
    assert anomalies(workbench) == []


def test_a_weekday_that_is_open_every_other_week_has_no_anomalies(workbench: Workbench) -> None:
    # Nine or seven of a day's references are equal to the median: the mean deviation counts.
    workbench.land(sales(210, lambda n: 100 if n % 7 or n // 7 % 16 < 9 else 0))
    workbench.build()
    assert anomalies(workbench) == []


def test_with_fewer_than_six_days_to_compare_with_nothing_is_said(workbench: Workbench) -> None:
    workbench.land(sales(43, lambda n: 100 if n < 42 else 900))
    workbench.build()
    # Seven Mondays, six of every other weekday.
    assert judged(workbench, 42) == (100, 5, 160, True)
    assert judged(workbench, 41) == (None, None, None, False)


def test_a_score_too_great_for_any_meaning_is_cut(workbench: Workbench) -> None:
    workbench.land(sales(70, lambda n: "900000000000" if n == 35 else "0.000001"))
    workbench.build()
    assert judged(workbench, 35)[2:] == (1_000_000, True)


def test_the_series_ends_where_the_data_ends_after_a_deletion_too(workbench: Workbench) -> None:
    workbench.land(sales(100, lambda n: 100))
    workbench.build()
    workbench.land(sales(80, lambda n: 100, start=10), mode="overwrite")
    assert not workbench.build().is_full
    assert workbench.rows(
        f"""
        select min(sale_date) - date '{MONDAY}', max(sale_date) - date '{MONDAY}', count(*)::integer
        from marts.revenue_anomalies
        """
    ) == [(10, 89, 80)]


def test_a_build_tells_of_the_newest_days_that_it_changed(workbench: Workbench) -> None:
    workbench.land(sales(140, lambda n: 900 if n in (125, 126, 130) else 100))
    first = workbench.build()
    # Fourteen days: 126 to 139.
    assert [found.sale_date for found in anomalies_of_build(workbench.connection, first.build_id)] == [
        MONDAY + timedelta(days=126),
        MONDAY + timedelta(days=130),
    ]
    workbench.land(sales(1, lambda n: 50, start=135))
    second = workbench.build()
    assert not second.is_full
    assert anomalies_of_build(workbench.connection, second.build_id) == [
        Anomaly(MONDAY + timedelta(days=135), Decimal(50), Decimal(100), Decimal(-10))
    ]
