"""Revenue by groups, buckets and filters, beside another range; tops and margins of products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.e2e.second_computation.dates import Other, bounds, buckets, other_range
from tests.e2e.second_computation.reference import Reference, conditions, quotient
from tests.e2e.second_computation.values import Row, ratio

COLUMNS = {"product": "product_id", "customer": "customer_id"}
_SUMS = """
select {keys}
    coalesce(sum(gross_revenue), 0) as gross_revenue, coalesce(sum(discounts), 0) as discounts,
    coalesce(sum(returns), 0) as returns, coalesce(sum(net_revenue), 0) as net_revenue,
    coalesce(sum(shipping), 0) as shipping, sum(cost) as cost,
    sum(net_revenue) filter (where cost is not null) as costed,
    coalesce(sum(quantity) filter (where is_sale_line), 0) as units,
    coalesce(-sum(quantity) filter (where not is_sale_line), 0) as units_returned
from lines
where sale_date between $start and $end {filters}
{group}
"""
# An order counts on its own date, in every group where it has a sale line; a document without one,
# where it has a line.
_COUNTS = """
select {keys}
    count(distinct order_no) filter (where is_sale) as orders,
    count(distinct order_no) filter (where not is_sale) as return_orders,
    count(distinct customer_id) filter (where is_sale) as customers
from lines
where order_date between $start and $end and (is_sale_line or not is_sale) {filters}
{group}
"""
_NO_COUNTS = {"orders": 0, "return_orders": 0, "customers": 0}
_NO_SUMS = {
    **dict.fromkeys(("gross_revenue", "discounts", "returns", "net_revenue", "shipping"), Decimal(0)),
    "cost": None, "costed": None, "units": 0, "units_returned": 0,
}  # fmt: skip

Key = tuple[Any, ...]
Measures = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A question about revenue."""

    group_by: tuple[str, ...] = ()
    grain: str | None = None
    start: date | None = None
    end: date | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    compare: str | None = None


def revenue(reference: Reference, asked: Asked) -> list[Row]:
    """Every row of the answer, in order."""
    start, end = reference.span(asked.start, asked.end)
    found = _cells(reference, asked, start, end)
    whole = sum((cell["net_revenue"] for cell in found.values()), Decimal(0))
    groups = {key[1:]: None for key, cell in found.items() if cell["has_lines"]} if asked.group_by else [()]
    times: list[tuple[date, date] | tuple[None, None]] = (
        [*buckets(start, end, asked.grain)] if asked.grain else [(None, None)]
    )
    earlier = _Earlier(reference, asked, start, end) if asked.compare else None
    rows = []
    for first, last in times:
        for group in groups:
            now = measures(found.get((first, *group), {**_NO_SUMS, **_NO_COUNTS}), whole)
            rows.append((_identity(reference, asked, first, last, group), now, (first, group)))
    rows.sort(key=lambda row: _order(asked, row[0], row[1]))
    return [
        {**identity, **written(now), **({"comparison": earlier.beside(now, *key)} if earlier else {})}
        for identity, now, key in rows
    ]


def measures(cell: Measures, whole: Decimal) -> Measures:
    """Every measure, quotients as exact fractions."""
    net, cost = cell["net_revenue"], cell["cost"]
    return {
        **{name: cell[name] for name in ("gross_revenue", "discounts", "returns", "net_revenue", "shipping")},
        "total_revenue": net + cell["shipping"],
        # The files state none.
        "tax": Decimal(0),
        "cost": cost,
        "margin": None if cost is None else cell["costed"] - cost,
        "cost_coverage": quotient(cell["costed"] or 0, net),
        **{name: cell[name] for name in _NO_COUNTS},
        "units": int(cell["units"]),
        "units_returned": int(cell["units_returned"]),
        "net_units": int(cell["units"] - cell["units_returned"]),
        "average_order_value": quotient(net, cell["orders"]),
        "share_of_total": quotient(net, whole),
    }


def written(found: Measures) -> Row:
    """Measures with their quotients rounded."""
    return {name: ratio(value) if isinstance(value, Fraction) else value for name, value in found.items()}


class _Earlier:
    """The figures of the other range."""

    def __init__(self, reference: Reference, asked: Asked, start: date, end: date) -> None:
        assert asked.compare is not None
        self._other: Other = other_range(start, end, asked.grain, asked.compare)
        self._grain = asked.grain
        self._found = _cells(reference, asked, self._other.start, self._other.end)
        self._whole = sum((cell["net_revenue"] for cell in self._found.values()), Decimal(0))

    def beside(self, now: Measures, first: date | None, group: Key) -> Row:
        """Each measure's earlier value, the difference from it, and the quotient by it."""
        if first is not None and self._grain is not None:
            first = bounds(self._other.back(first), self._grain)[0]
        before = measures(self._found.get((first, *group), {**_NO_SUMS, **_NO_COUNTS}), self._whole)
        return {name: _compared(now[name], before[name]) for name in now}


def _compared(now: Any, before: Any) -> Row:
    is_known = now is not None and before is not None
    difference = now - before if is_known else None
    return {
        "previous": ratio(before) if isinstance(before, Fraction) else before,
        "difference": ratio(difference) if isinstance(difference, Fraction) else difference,
        "ratio": ratio(quotient(now, before)) if is_known else None,
    }


def _cells(reference: Reference, asked: Asked, start: date, end: date) -> dict[Key, Measures]:
    """The sums and counts of each bucket and group, by (bucket's first day, *ids)."""
    columns = [COLUMNS.get(name, name) for name in asked.group_by]
    found: dict[Key, Measures] = {}
    for query, day in ((_SUMS, "sale_date"), (_COUNTS, "order_date")):
        bucket = f"cast(date_trunc('{asked.grain}', {day}) as date)" if asked.grain else "null"
        statement = query.format(
            keys=f"{bucket} as bucket, {''.join(f'{column} as key_{column}, ' for column in columns)}",
            filters=conditions(asked.filters),
            group="group by all",
        )
        for row in reference.rows(statement, start=start, end=end, **asked.filters):
            key = (row.pop("bucket"), *(row.pop(f"key_{column}") for column in columns))
            cell = found.setdefault(key, {**_NO_SUMS, **_NO_COUNTS, "has_lines": False})
            cell.update(row, has_lines=cell["has_lines"] or query is _SUMS)
    return found


def _identity(reference: Reference, asked: Asked, first: date | None, last: date | None, group: Key) -> Row:
    made: Row = {}
    if first is not None and last is not None:
        is_partial = (
            (asked.start is not None and first < asked.start)
            or (asked.end is not None and last > asked.end)
            or last > reference.last
        )
        made["bucket"] = {"start_date": first, "end_date": last, "is_partial": is_partial}
    for name, value in zip(asked.group_by, group, strict=True):
        made[name] = reference.named(name, value) if name in COLUMNS else value
    return made


def _order(asked: Asked, identity: Row, found: Measures) -> list[Any]:
    """The key of a row's place: what was asked, then time and ids.

    Measures that are undefined come last, guests, whose id is none, first.
    """
    values = {**found, **{name: _plain(value) for name, value in identity.items()}}
    default = ("bucket",) if asked.grain and not asked.group_by else ("bucket", "-net_revenue")
    wanted = asked.sort or tuple(name for name in default if name.lstrip("-") in values)
    return [
        (values[name.lstrip("-")] is None, _Falling(values[name.lstrip("-")]) if name[0] == "-" else
         _Rising(values[name.lstrip("-")]))
        for name in (*wanted, "bucket", *asked.group_by) if name.lstrip("-") in values
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return value["start_date"] if "start_date" in value else value["id"] or ""


@dataclass(frozen=True)
class _Rising:
    value: Any

    def __lt__(self, other: "_Rising") -> bool:
        return self.value is not None and self.value < other.value


class _Falling(_Rising):
    def __lt__(self, other: _Rising) -> bool:
        return self.value is not None and self.value > other.value


def top(reference: Reference, asked: Asked, n: int, by: str, within: str | None) -> list[Row]:
    """The first n products, of all or of each category or region; equals are ranked by id."""
    groups = (within, "product") if within else ("product",)
    sort = (*((within,) if within else ()), "-net_revenue" if by == "revenue" else "-net_units")
    whole = Asked(groups, None, asked.start, asked.end, asked.filters, sort)
    rows: list[Row] = []
    place: dict[Any, int] = {}
    for row in revenue(reference, whole):
        group = row[within] if within else None
        place[group] = place.get(group, 0) + 1
        if place[group] <= n:
            rows.append({"rank": place[group], **row})
    return rows


def margins(reference: Reference, asked: Asked) -> list[Row]:
    """The profit of each product, the largest first, products without a known cost last."""
    sort = ("-margin", "-net_revenue")
    rows = revenue(reference, Asked(("product",), None, asked.start, asked.end, asked.filters, sort))
    shown = ("product", "net_revenue", "cost", "margin", "cost_coverage", "net_units")
    return [
        {name: row[name] for name in shown}
        | {"margin_rate": None if row["margin"] is None
           else ratio(quotient(row["margin"], row["margin"] + row["cost"]))}
        for row in rows
    ]  # fmt: skip
