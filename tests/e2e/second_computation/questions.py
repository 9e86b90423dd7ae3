"""Random questions of every kind, with the answers of the reference."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from tests.e2e.second_computation import customers, days
from tests.e2e.second_computation.asking import Query, Question
from tests.e2e.second_computation.dates import other_range
from tests.e2e.second_computation.reference import FILTERS, Reference
from tests.e2e.second_computation.revenue import COLUMNS, Asked, margins, revenue, top
from tests.e2e.second_computation.values import money

GROUPS = ("product", "category", "region", "payment_method", "customer", "source")
GRAINS = ("day", "week", "month", "quarter", "year")
COMPARE = ("previous_period", "previous_year")
SORTS = (
    "gross_revenue", "discounts", "returns", "net_revenue", "shipping", "total_revenue", "tax", "cost",
    "margin", "cost_coverage", "orders", "return_orders", "customers", "units", "units_returned", "net_units",
    "average_order_value",
)  # fmt: skip
_PREDICTED = ("predicted_purchases", "probability_alive", "predicted_mean_value", "predicted_value")
# Rows that a random question may have, so that hundreds of them take seconds.
_MOST_ROWS = 3000


class Questions:
    """Random questions about one reference's data."""

    def __init__(self, reference: Reference, seed: str) -> None:
        self._reference = reference
        self._random = Random(seed)
        self._choices = {name: reference.choices(name) for name in FILTERS}

    def random(self, kind: str) -> Question:
        """A random question of one of the ``KINDS``."""
        makers: dict[str, Callable[[], Question]] = {
            "revenue": self._grouped,
            "total": self._total,
            "by": self._by_one_group,
            "trend": self._trend,
            "top": self._top,
            "margins": self._margins,
            "summary": self._summary,
            "segments": self._segments,
            "cohorts": self._cohorts,
            "lifetime value": self._lifetime_value,
            "anomalies": self._anomalies,
            "orders": self._orders,
        }
        return makers[kind]()

    def _grouped(self) -> Question:
        """Any groups, perhaps cut into buckets."""
        groups = self._random.sample(GROUPS, self._random.choice([0, 1, 1, 2, 2, 3]))
        grain = self._random.choice([None, None, *GRAINS])
        asked = self._of_some_rows(tuple(groups), grain)
        query = [("group_by", ",".join(asked.group_by))] if asked.group_by else []
        return self._revenue("/revenue", query, asked)

    def _total(self) -> Question:
        """The whole range as one object."""
        asked = self._asked()
        return self._revenue("/revenue/total", [], asked, limit=None)

    def _by_one_group(self) -> Question:
        """By product, category or region."""
        group = self._random.choice(["product", "category", "region"])
        asked = self._of_some_rows((group,), self._random.choice([None, *GRAINS]))
        return self._revenue(f"/revenue/by-{group}", [], asked)

    def _trend(self) -> Question:
        """Over time, perhaps by groups."""
        groups = self._random.sample(GROUPS, self._random.choice([0, 0, 1]))
        asked = self._of_some_rows(tuple(groups), self._random.choice(GRAINS))
        query = [("group_by", ",".join(asked.group_by))] if asked.group_by else []
        return self._revenue("/revenue/trend", query, asked)

    def _top(self) -> Question:
        """The first products of all, of each category or of each region."""
        asked = self._asked(compares=False)
        n, by = self._random.choice([1, 3, 10, 25]), self._random.choice(["revenue", "quantity"])
        within = self._random.choice([None, "category", "region"])
        query = [*_query(asked), ("n", str(n)), ("by", by), *([("within", within)] if within else [])]
        rows = top(self._reference, asked, n, by, within)
        return Question("/products/top", query, rows, self._meta(asked), limit=None)

    def _margins(self) -> Question:
        """Profit by product."""
        asked = self._asked(compares=False)
        rows = margins(self._reference, asked)
        return Question("/products/margins", _query(asked), rows, self._meta(asked), limit=self._limit(rows))

    def _summary(self) -> Question:
        """How many customers, by region or not."""
        groups = ("region",) if self._random.random() < 0.5 else ()
        asked = replace(self._asked(groups, compares=False), sort=())
        query = [*_query(asked), *([("group_by", "region")] if asked.group_by else [])]
        rows = customers.summary(self._reference, asked)
        return Question("/customers/summary", query, rows, self._meta(asked), limit=None)

    def _segments(self) -> Question:
        """Segments or their members, at some day, with some cuts."""
        start, end = self._range()
        as_of = self._day() if self._random.random() < 0.7 else None
        if as_of is not None and start is not None and as_of < start:
            start = None
        fractions, own, query = self._cuts()
        rows, cuts = customers.members(self._reference, as_of, start, end, fractions, own)
        meta = {"segmentation": {"as_of": as_of or self._reference.last, "cut_points": cuts}}
        query += [*_dates(start, end), *([("as_of", as_of.isoformat())] if as_of else [])]
        wanted = self._random.choice([(), (), ("champions",), ("lost", "new", "loyal")])
        query += [("segment", name) for name in wanted]
        if self._random.random() < 0.5:
            rows = [row for row in rows if not wanted or row["segment"] in wanted]
            query.append(("members", "true"))
        else:
            rows = [row for row in customers.segments(rows) if not wanted or row["segment"] in wanted]
        return Question("/customers/segments", query, rows, meta, limit=self._limit(rows))

    def _cohorts(self) -> Question:
        """Retention by the month of the first order."""
        start, end = self._range()
        rows = customers.cohorts(self._reference, start, end)
        meta = self._meta(Asked(start=start, end=end))
        return Question("/customers/cohorts", _dates(start, end), rows, meta, limit=self._limit(rows))

    def _lifetime_value(self) -> Question:
        """What customers brought, each or by cohort; predictions are checked elsewhere."""
        start, end = self._range()
        by = self._random.choice(["customer", "cohort"])
        compute = customers.lifetime_value if by == "customer" else customers.lifetime_value_by_cohort
        rows = compute(self._reference, start, end)
        query = [*_dates(start, end), ("by", by)]
        meta = self._meta(Asked(start=start, end=end))
        meta["totals"] = customers.lifetime_totals(self._reference, start, end)
        return Question("/customers/lifetime-value", query, rows, meta, _PREDICTED, self._limit(rows))

    def _anomalies(self) -> Question:
        """Days far from what was to be expected, or all."""
        start, end = self._range()
        is_every = self._random.random() < 0.5
        rows = [
            row
            for row in days.within(days.anomalies(self._reference), start, end)
            if is_every or row["is_anomaly"]
        ]
        query = [*_dates(start, end), ("every_day", str(is_every).lower())]
        meta = self._meta(Asked(start=start, end=end))
        return Question("/revenue/anomalies", query, rows, meta, limit=self._limit(rows))

    def _orders(self) -> Question:
        """The lines behind a number."""
        asked = self._asked(compares=False)
        while days.line_count(self._reference, asked) > _MOST_ROWS:
            asked = self._asked(compares=False, most_days=7)
        rows = days.lines(self._reference, asked)
        return Question("/orders", _query(asked), rows, self._meta(asked), limit=self._limit(rows))

    def _of_some_rows(self, groups: tuple[str, ...], grain: str | None) -> Asked:
        """A question of a bearable number of rows."""
        most_days = None
        while True:
            asked = self._asked(groups, grain, most_days=most_days)
            columns = ", ".join(COLUMNS.get(group, group) for group in groups) or "1"
            start, end = self._reference.span(asked.start, asked.end)
            query = f"select count(distinct ({columns},)) from lines where sale_date between $start and $end"
            [[count]] = self._reference.select(query, start=start, end=end)
            buckets = (end - start).days // {"day": 1, "week": 7}.get(grain, 28) + 1 if grain else 1
            if count * buckets <= _MOST_ROWS:
                return asked
            most_days = min(most_days or 120, (end - start).days) // 2 + 1

    def _revenue(self, path: str, query: Query, asked: Asked, limit: int | None = 500) -> Question:
        rows = revenue(self._reference, asked)
        return Question(
            path,
            [*query, *_query(asked)],
            rows,
            self._meta(asked),
            limit=None if limit is None else self._limit(rows),
        )

    def _asked(
        self,
        groups: tuple[str, ...] = (),
        grain: str | None = None,
        *,
        compares: bool = True,
        most_days: int | None = None,
    ) -> Asked:
        start, end = self._range(most_days)
        names = self._random.sample(list(FILTERS), self._random.choice([0, 0, 0, 1, 1, 2]))
        filters = {name: self._some(name) for name in names}
        compare = self._random.choice([None, *COMPARE]) if compares else None
        sort: tuple[str, ...] = ()
        if groups and self._random.random() < 0.5:
            sorts = [*SORTS, *groups, *(["bucket"] if grain else [])]
            sort = tuple(
                self._random.choice(["", "-"]) + name
                for name in self._random.sample(sorts, self._random.choice([1, 1, 2]))
            )
        return Asked(groups, grain, start, end, filters, sort, compare)

    def _some(self, name: str) -> list[str]:
        known = self._choices[name] or ["nobody"]
        size = self._random.choice([1, 2, 5, 50])
        return self._random.sample([*known, "none such"], min(size, len(known) + 1))

    def _range(self, most_days: int | None = None) -> tuple[date | None, date | None]:
        """Some range, now and then open, of whole months, or beyond the data."""
        start = self._day()
        length = self._random.choice([1, 7, 30, 90, 365, 2000])
        if most_days is not None:
            return start, start + timedelta(days=self._random.randrange(min(length, most_days)))
        end = start + timedelta(days=self._random.randrange(length))
        if self._random.random() < 0.3:
            start = start.replace(day=1)
            end = (end.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return self._random.choice(
            [(start, end), (start, end), (start, end), (start, None), (None, end), (None, None)]
        )

    def _day(self) -> date:
        count = (self._reference.last - self._reference.first).days
        return self._reference.first + timedelta(
            days=self._random.randrange(-count // 10, count + count // 10)
        )

    def _limit(self, rows: Sequence[Any]) -> int:
        """So many rows of a page that there are some pages, and not hundreds."""
        return min(500, max(self._random.choice([7, 50, 500]), len(rows) // 6 + 1))

    def _cuts(self) -> tuple[list[Fraction], dict[str, list[Any]], Query]:
        """Where the scores are cut: at quintiles, at other fractions, at values of one's own."""
        cut = [Decimal(20 * number) / 100 for number in range(1, 5)]
        query: Query = []
        if self._random.random() < 0.5:
            cut = sorted(Decimal(number) / 1000 for number in self._random.sample(range(1, 1000), 4))
            query.append(("cuts", ",".join(map(str, cut))))
        own: dict[str, list[Any]] = {}
        if self._random.random() < 0.3:
            own["recency_days"] = sorted(self._random.sample(range(200), 4))
            query.append(("recency_cuts", ",".join(map(str, own["recency_days"]))))
        if self._random.random() < 0.3:
            own["frequency"] = sorted(self._random.sample(range(12), 4))
            query.append(("frequency_cuts", ",".join(map(str, own["frequency"]))))
        if self._random.random() < 0.3:
            amounts = self._random.sample(range(200_000), 4)
            own["monetary"] = sorted(Decimal(amount) / 100 for amount in amounts)
            query.append(("monetary_cuts", ",".join(money(amount) for amount in own["monetary"])))
        return [Fraction(value) for value in cut], own, query

    def _meta(self, asked: Asked) -> dict[str, Any]:
        start, end = self._reference.span(asked.start, asked.end)
        made: dict[str, Any] = {
            "range": {"start_date": start, "end_date": end}, "data_as_of": self._reference.last,
        }  # fmt: skip
        if asked.compare:
            other = other_range(start, end, asked.grain, asked.compare)
            made["comparison"] = {
                "kind": asked.compare,
                "range": {"start_date": other.start, "end_date": other.end},
            }
        return made


def _query(asked: Asked) -> Query:
    return [
        *_dates(asked.start, asked.end),
        *([("grain", asked.grain)] if asked.grain else []),
        *([("compare", asked.compare)] if asked.compare else []),
        *([("sort", ",".join(asked.sort))] if asked.sort else []),
        *((name, value) for name, values in asked.filters.items() for value in values),
    ]


def _dates(start: date | None, end: date | None) -> Query:
    given = (("start_date", start), ("end_date", end))
    return [(name, day.isoformat()) for name, day in given if day is not None]
