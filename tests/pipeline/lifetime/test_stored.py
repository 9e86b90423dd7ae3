"""The models that are kept for each build."""

from datetime import date
from random import Random
from typing import Any

import pytest

from pipeline.lifetime.histories import read_histories
from pipeline.lifetime.stored import default_calibration_end, fit_build, read_models
from pipeline.warehouse.connect import connect
from tests.api.published import Line, golden_lines, publish, random_lines
from tests.conftest import Warehouse


def refuse(*arguments: Any) -> None:
    raise AssertionError("fitted again")


def test_a_build_keeps_a_model_of_everything_and_one_to_test(warehouse: Warehouse) -> None:
    lines = random_lines(Random(7), 600)
    last = max(line.sale_date for line in lines)
    with connect(warehouse.urls.owner) as connection:
        build_id = publish(connection, lines)
        models = fit_build(connection, build_id, last)
        tested = default_calibration_end(connection, last)
        assert [model.calibration_end for model in models] == [tested, last]
        assert models[0].holdout is not None
        assert models[0].holdout.end_date == last
        assert models[1].holdout is None
        assert read_models(connection, build_id) == models
        assert fit_build(connection, build_id, last) == models


def test_a_build_that_changed_nothing_takes_over_the_models(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = random_lines(Random(7), 600)
    last = max(line.sale_date for line in lines)
    with connect(warehouse.urls.owner) as connection:
        models = fit_build(connection, publish(connection, lines), last)
        monkeypatch.setattr("pipeline.lifetime.stored.fit_model", refuse)
        unchanged = publish(connection, lines)
        assert fit_build(connection, unchanged, last) == models
        changed = publish(connection, lines)
        connection.execute(
            """
            insert into core.build_changes (
                build_id, sale_date, lines_added, lines_removed, gross_revenue, discounts, returns,
                net_revenue, shipping, units, units_returned
            )
            values (%s, %s, 1, 0, 0, 0, 0, 0, 0, 0, 0)
            """,
            (changed, last),
        )
        with pytest.raises(AssertionError, match="fitted again"):
            fit_build(connection, changed, last)


def test_too_little_repeat_buying_is_kept_as_the_reason(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        build_id = publish(connection, golden_lines())
        models = fit_build(connection, build_id, date(2024, 5, 18))
        assert [model.purchases for model in models] == [None, None]
        assert models[1].reason == "Only 3 customers bought again on a later day; the model needs 10."
        assert read_models(connection, build_id) == models


def test_the_last_quarter_of_the_days_is_held_out(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, golden_lines())
        # 155 days from 2023-12-15 on; a quarter are 38.
        assert default_calibration_end(connection, date(2024, 5, 18)) == date(2024, 4, 10)


def test_orders_of_one_day_are_one_purchase_and_returns_lower_its_value(warehouse: Warehouse) -> None:
    days = [("1", "2024-01-01", 1), ("2", "2024-01-01", 1), ("3", "2024-01-15", 3), ("4", "2024-01-15", 1)]
    returns = [("3", "2024-01-20", -1), ("1", "2024-01-01", -1), ("9", "2024-03-01", -1)]
    first = golden_lines()[0]
    lines = [
        Line(**{**vars(first), "order_id": order, "sale_date": date.fromisoformat(day), "quantity": quantity})
        for order, day, quantity in [*days, *returns, ("5", "2024-02-05", 1)]
    ]
    with connect(warehouse.urls.owner) as connection:
        publish(connection, lines)
        found = read_histories(connection, date(2024, 1, 29))
    # Each unit is 180 less 10 %: four sold on the second day, one of them returned.
    assert (found.customer_ids, found.x.tolist(), found.later.tolist()) == (["C456"], [1], [1])
    assert (found.t_x.tolist(), found.T.tolist(), found.mean.tolist()) == ([2.0], [4.0], [486.0])
