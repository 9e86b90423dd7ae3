"""What is gathered sums up, and agrees with the lines."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from random import Random

import pytest

from pipeline.answers.dates import DateRange
from pipeline.answers.errors import QueryError
from pipeline.findings.gathering import Findings, Part
from tests.api.published import Line, random_lines
from tests.pipeline.findings.conftest import Gather, Publish


def net(lines: Sequence[Line], span: DateRange | None) -> Decimal:
    if span is None:
        return Decimal(0)
    return sum((line.net for line in lines if span.start <= line.sale_date <= span.end), Decimal(0))


def groups(findings: Findings) -> list[tuple[list[Part], Callable[[Line], str]]]:
    return [
        (findings.regions, lambda line: line.region),
        (findings.categories, lambda line: line.category),
    ]


@pytest.mark.parametrize(
    ("start", "end"), [(None, None), ("2023-12-24", "2024-01-05"), ("2024-02-01", "2030-12-31")]
)
def test_the_parts_sum_up_to_the_total_now_and_before(
    publish_lines: Publish, gathered: Gather, start: str | None, end: str | None
) -> None:
    lines = random_lines(Random(11), 500)
    publish_lines(lines)
    findings = gathered(start, end)
    assert findings.earlier is not None
    now, before = net(lines, findings.period.span), net(lines, findings.earlier)
    assert Decimal(findings.total["net_revenue"]) == now
    for parts in (findings.regions, findings.categories, findings.products):
        assert sum(part.net_revenue for part in parts) == now
        assert sum(part.previous or 0 for part in parts) == before
    assert sum(Decimal(row["net_revenue"]) for row in findings.trend) == now
    for parts, key in groups(findings):
        for part in parts:
            of_part = [line for line in lines if key(line) == part.name]
            assert part.name is None or net(of_part, findings.period.span) == part.net_revenue


def test_without_a_build_the_message_says_what_to_do(gathered: Gather) -> None:
    with pytest.raises(QueryError, match="load a file"):
        gathered()


def test_a_build_without_sales_has_nothing_to_tell_but_of_asked_dates(
    publish_lines: Publish, gathered: Gather
) -> None:
    publish_lines([])
    with pytest.raises(QueryError, match="No sales are published"):
        gathered()
    findings = gathered("2024-01-01", "2024-01-31")
    assert (findings.data, findings.earlier, findings.trend) == (None, None, [])
    assert findings.total["net_revenue"] == "0.00"
    assert findings.period.span == DateRange(date(2024, 1, 1), date(2024, 1, 31))
