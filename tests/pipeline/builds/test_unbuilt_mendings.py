"""Deliveries, voids and replays that follow one another before a build has taken them in."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.landing import LandingError
from pipeline.landing.closed_months import close_month, closed_months
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_builds_equal_the_oracle import assert_nothing_left_for_a_full_build
from tests.pipeline.builds.test_mending import change, delivery, landed, rejects_file, tried

FULL: dict[str, Any] = {"mode": "overwrite", "delivery": "full", "force": True}
ONE, TWO = "1,A,2024-01-05,1,10,", "2,A,2024-01-05,1,20,"


def test_a_full_delivery_deletes_what_a_void_has_brought_back(workbench: Workbench) -> None:
    workbench.land(delivery(ONE, TWO), **FULL)
    workbench.build()
    [night] = workbench.land(delivery(ONE), **FULL)
    workbench.build()
    change(workbench, night)
    workbench.land(delivery("1,A,2024-01-05,1,11,"), **FULL)
    workbench.build()
    assert orders(workbench) == [("1", 11.0)]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_full_delivery_deletes_what_a_replay_has_brought_in(workbench: Workbench, tmp_path: Path) -> None:
    kept = tmp_path / "originals"
    [night] = workbench.land(delivery(ONE, "2,A,2024-01-05,one,20,"), originals=kept, **FULL)
    workbench.build()
    path = rejects_file(workbench, night, kept)
    path.write_text(path.read_text().replace(",one,20,,", ",1,20,,"))
    tried(workbench, night, kept, corrected=path)
    workbench.land(delivery(ONE), **FULL)
    workbench.build()
    assert orders(workbench) == [("1", 10.0)]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_corrected_row_of_an_unbuilt_night_takes_nobodys_place(
    workbench: Workbench, tmp_path: Path
) -> None:
    full = FULL | {"originals": tmp_path / "originals"}
    workbench.land(delivery(TWO), **full)
    workbench.land(delivery(TWO, ONE), **full)
    [night] = workbench.land(delivery(TWO, ONE, "1,,2024-01-05,1,7,"), **full)
    path = rejects_file(workbench, night, full["originals"])
    path.write_text(path.read_text().replace("\n1,,", "\n1,A,"))
    tried(workbench, night, full["originals"], corrected=path)
    workbench.build()
    assert orders(workbench) == [("1", 7.0), ("1", 10.0), ("2", 20.0)]


def test_a_night_is_restored_onto_the_past_that_it_was_compared_with_and_no_other(
    workbench: Workbench, tmp_path: Path
) -> None:
    kept = tmp_path / "originals"
    first = landed(workbench, delivery(ONE, "2,A,2024-01-05,one,20,"), kept)
    second = landed(workbench, delivery("1,A,2024-01-05,1,99,"), kept)
    change(workbench, second)
    [night] = workbench.land(delivery(ONE), originals=kept, **FULL)
    change(workbench, night)
    change(workbench, second, restores=True)
    with pytest.raises(LandingError, match="which was restored since: void that one"):
        change(workbench, night, restores=True)
    change(workbench, second)
    change(workbench, night, restores=True)

    change(workbench, night)
    path = rejects_file(workbench, first, kept)
    path.write_text(path.read_text().replace(",one,20,,", ",1,20,,"))
    tried(workbench, first, kept, corrected=path)
    with pytest.raises(LandingError, match="which was replayed since: load the file"):
        change(workbench, night, restores=True)
    workbench.build()
    assert orders(workbench) == [("1", 10.0), ("2", 20.0)]


def test_a_void_elsewhere_closes_no_month_to_a_night_that_leaves_it_as_it_is(workbench: Workbench) -> None:
    february = "3,A,2024-02-05,1,20,"
    workbench.land(delivery(ONE, february), **FULL)
    [other] = workbench.land(delivery("1,A,2024-03-05,1,10,"), source="other")
    workbench.build()
    close_month(workbench.connection, date(2024, 1, 1), "anna")
    change(workbench, other)
    [result] = workbench.land(delivery(ONE, "3,A,2024-02-05,1,21,"), **FULL)
    assert (result.status, result.rows_unchanged) == ("landed", 1)
    # To void the night again touches February alone.
    workbench.build()
    change(workbench, result)
    assert [month for month, _, _ in closed_months(workbench.connection)] == [date(2024, 1, 1)]


def test_a_month_is_closed_only_when_all_is_published(workbench: Workbench) -> None:
    [only] = workbench.land(delivery(ONE))
    with pytest.raises(LandingError, match="not in the published numbers yet"):
        close_month(workbench.connection, date(2024, 1, 1), "anna")
    workbench.build()
    change(workbench, only)
    with pytest.raises(LandingError, match="not in the published numbers yet"):
        close_month(workbench.connection, date(2024, 1, 1), "anna")
    assert closed_months(workbench.connection) == []


def test_another_campaign_is_stored_once(workbench: Workbench) -> None:
    workbench.land(delivery(ONE, TWO), **FULL)
    workbench.build()
    unchanged = []
    for night in range(3):
        rows = [f"{ONE}spring", f"{TWO}spring", f"{night + 3},A,2024-01-05,1,1,"]
        unchanged.append(workbench.land(delivery(*rows), **FULL)[0].rows_unchanged)
        workbench.build()
    assert unchanged == [0, 2, 2]


def orders(workbench: Workbench) -> list[tuple[Any, ...]]:
    """Each line's order and net revenue."""
    return sorted(workbench.rows("select order_id, net_revenue::float8 from core.fct_order_lines"))
