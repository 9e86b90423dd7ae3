"""The planner of the revenue questions: from a question to its statement, without a database."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from psycopg import sql

from pipeline.answers.dates import DateRange
from pipeline.answers.dimensions import dimension_of
from pipeline.answers.pieces import Shape
from pipeline.answers.relations import plan, whole_months
from pipeline.answers.revenue_sql import statement

SPAN = DateRange(date(2023, 1, 15), date(2025, 12, 10))
DATA = DateRange(date(2020, 1, 1), date(2025, 12, 31))
# How many times the comparison a plan may take; it takes about as long.
MOST_TIMES = 10.0
ROUNDS = 200


def planned() -> str:
    """The statement of a year-long question by product."""
    shape = Shape(
        groups=[dimension_of("product")],
        grain=None,
        bucket_starts=[],
        span=SPAN,
        parts=plan({"product_id", "region"}, None, SPAN, DATA),
        filters={"region": ["Asia", "Europe"]},
        sort=("-net_revenue",),
        limit=51,
        offset=0,
        months=whole_months(SPAN, DATA),
    )
    return statement(shape).as_string(None)


def composed() -> str:
    """Work of the same kind: some hundred pieces of SQL, quoted and joined."""
    item = sql.SQL("coalesce({}, {}) as {}")
    names = [sql.Identifier(f"column_{number}") for number in range(100)]
    items = [item.format(name, sql.Literal("none"), name) for name in names]
    return sql.SQL("select {} from {}").format(sql.SQL(", ").join(items), sql.Identifier("t")).as_string(None)


def test_a_plan_takes_about_as_long_as_composing_its_pieces(benchmark: Callable[..., Any]) -> None:
    assert "product_revenue_monthly" in benchmark(planned)
    best = {work: min(_seconds(work) for _ in range(ROUNDS)) for work in (planned, composed)}
    assert best[planned] < MOST_TIMES * best[composed]


def _seconds(work: Callable[[], str]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
