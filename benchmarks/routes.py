"""The API's routes under load: against a route with one select, and against the plain SQL on the facts."""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.asking import Asked, ask
from benchmarks.figures import Figure
from benchmarks.serving import running
from benchmarks.shop import open_shop
from benchmarks.turns import ROUNDS, in_turns
from pipeline.sample import FIRST_DAY, LAST_DAY, write_sample
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer

ONE = f"/days/{LAST_DAY}"
_ONE_ROUTE = "a Flask route with one select by key"
_WARM_REQUESTS = 500
# Two for each connection.
_COLD_REQUESTS = 16
_MONTHS = 36


@dataclass(frozen=True)
class Question:
    """What is asked, and the groups of the plain SQL on the facts that answers the same."""

    name: str
    path: str
    groups: tuple[str, ...] = ()


# Those of the aims.
QUESTIONS = (
    Question("revenue in total", "/api/v1/revenue/total?"),
    Question("revenue by region", "/api/v1/revenue/by-region?", ("region",)),
    Question("revenue by category", "/api/v1/revenue/by-category?", ("product.category",)),
    Question("revenue by product", "/api/v1/revenue/by-product?limit=500&", ("lines.product_id",)),
    Question("trend by month", "/api/v1/revenue/trend?", ("date_trunc('month', lines.sale_date)",)),
    Question("trend by day", "/api/v1/revenue/trend?grain=day&limit=500&", ("lines.sale_date",)),
    Question("top products", "/api/v1/products/top?", ("lines.product_id",)),
    Question("customers", "/api/v1/customers/summary?"),
)
# Without an aim: measured, and listed.
OTHERS = (
    Question("margins", "/api/v1/products/margins?"),
    Question("top products by region", "/api/v1/products/top?within=region&"),
    Question("customers by region", "/api/v1/customers/summary?group_by=region&"),
    Question("cohorts", "/api/v1/customers/cohorts?"),
    Question("segments", "/api/v1/customers/segments?"),
    Question("anomalies", "/api/v1/revenue/anomalies?"),
    Question("order lines", "/api/v1/orders?"),
)
_ON_FACTS = """
    select
        {groups} sum(lines.gross_revenue), sum(lines.discounts), sum(lines.returns), sum(lines.net_revenue),
        sum(lines.shipping), sum(lines.tax), sum(lines.cost), sum(lines.quantity),
        count(distinct lines.order_id) filter (where lines.quantity > 0),
        count(distinct lines.customer_id) filter (where lines.quantity > 0)
    from core.fct_order_lines as lines {joined}
    where lines.sale_date between '{start}' and '{end}'
    {grouped}
"""


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """All of it on one warehouse of the sample's three years."""
    csv = folder / "sales.csv"
    write_sample(csv, rows=rows, seed=1)
    with open_shop(server) as shop:
        shop.refresh(csv)
        return measure_on(shop.warehouse.environment, shop.warehouse.urls.owner, rows)


def measure_on(environment: Mapping[str, str], owner: str, rows: int) -> list[Figure]:
    """The same on a warehouse that is there.

    Args:
        environment: names the warehouse to the servers.
        owner: the address at which the plain SQL is run.
        rows: its lines.
    """
    figures = []
    with running("benchmarks.one_select", environment) as one:
        ask(one.port, [ONE] * _WARM_REQUESTS)
        figures += _warm(environment, one.port, rows)
        for question in (*QUESTIONS, *OTHERS):
            has_aim = question in QUESTIONS
            # The others may take seconds: one range of each is told.
            spans = SPANS if has_aim else {_YEAR: _years}
            for span, ranges in spans.items():
                figures += _cold(environment, one.port, question, span, ranges, rows, has_aim=has_aim)
        for question in QUESTIONS:
            figures.append(_against_facts(environment, owner, question, rows))
    return figures


def _years() -> Iterator[str]:
    """Twelve whole months, from each month on."""
    for month in range(_MONTHS - 11):
        start = date(FIRST_DAY.year + month // 12, month % 12 + 1, 1)
        end = date(start.year + 1, start.month, 1) - timedelta(days=1)
        yield f"start_date={start}&end_date={end}"


def _cut_years() -> Iterator[str]:
    """A year from the middle of each month on: two months are cut."""
    for month in range(_MONTHS - 12):
        start = date(FIRST_DAY.year + month // 12, month % 12 + 1, 15)
        end = date(start.year + 1, start.month, 14)
        yield f"start_date={start}&end_date={end}"


def _everything(first: int = 1) -> Iterator[str]:
    """All of the data, each time with other days before and after it, so that no answer is kept."""
    for number in range(_COLD_REQUESTS):
        away = timedelta(days=first + number)
        yield f"start_date={FIRST_DAY - away}&end_date={LAST_DAY + away}"


_YEAR = "one year"
SPANS: dict[str, Callable[[], Iterator[str]]] = {
    _YEAR: _years,
    "a year that cuts months": _cut_years,
    "all data": _everything,
}


def _cold(
    environment: Mapping[str, str],
    one: int,
    question: Question,
    span: str,
    ranges: Callable[[], Iterator[str]],
    rows: int,
    *,
    has_aim: bool,
) -> list[Figure]:
    """Each round asks a service that has just begun, and each question once: no answer is kept yet."""
    paths = [question.path + dates for dates in islice(ranges(), _COLD_REQUESTS)]
    ours: list[Asked] = []
    theirs: list[Asked] = []
    for _ in range(ROUNDS):
        with running("api", environment) as api:
            # Connections and their catalogs are warm; other ranges leave no answer that could be kept.
            ask(api.port, [question.path + dates for dates in _everything(first=100)])
            theirs.append(ask(one, [ONE] * _WARM_REQUESTS))
            ours.append(ask(api.port, paths))
    note = _other_answers(set().union(*(asked.statuses for asked in ours)))
    return [
        _figure(f"{question.name}, {span}, cold, {label}", _ONE_ROUTE, rows, "ms",
                [asked.quantile(share) * 1000 for asked in ours],
                [asked.quantile(share) * 1000 for asked in theirs], aim if has_aim else None, note)
        for label, share, aim in (("p50", 0.5, 5.0), (f"slowest of {_COLD_REQUESTS}, to its p99", 0.99, 20.0))
    ]  # fmt: skip


def _figure(
    what: str,
    against: str,
    rows: int,
    unit: str,
    ours: list[float],
    theirs: list[float],
    aim: float | None,
    note: str = "",
) -> Figure:
    ratio = median(our / their for our, their in zip(ours, theirs, strict=True))
    return Figure(what, against, rows, median(ours), median(theirs), ratio, unit, aim, "at most", note)


def _warm(environment: Mapping[str, str], one: int, rows: int) -> list[Figure]:
    path = QUESTIONS[0].path + next(_years())
    rates: dict[str, list[float]] = {"one": [], "warm": [], "304": []}
    with running("api", environment) as api:
        tag = _tag_of(api.port, path)
        for _ in range(ROUNDS):
            rates["one"].append(ask(one, [ONE] * _WARM_REQUESTS).per_second)
            rates["warm"].append(ask(api.port, [path] * _WARM_REQUESTS).per_second)
            conditional = ask(api.port, [path] * _WARM_REQUESTS, headers=[f"If-None-Match: {tag}"])
            assert conditional.statuses == {304}
            rates["304"].append(conditional.per_second)
    figures = []
    for name, what in (("warm", "an answer that is kept"), ("304", "an answer that the caller has")):
        ratio = median(our / their for our, their in zip(rates[name], rates["one"], strict=True))
        figures.append(
            Figure(what, _ONE_ROUTE, rows, median(rates[name]), median(rates["one"]), ratio, "requests/s",
                   0.7, "at least")
        )  # fmt: skip
    return figures


def _other_answers(statuses: set[int]) -> str:
    return "" if statuses == {200} else f"; answers: {', '.join(map(str, sorted(statuses)))}"


def _tag_of(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        answer = connection.getresponse()
        answer.read()
        return answer.headers["ETag"]
    finally:
        connection.close()


def _against_facts(environment: Mapping[str, str], owner: str, question: Question, rows: int) -> Figure:
    """One after the other, alone: the route without a kept answer, and the plain SQL on the facts."""
    groups = ", ".join(question.groups)
    statement = _ON_FACTS.format(
        groups=f"{groups}," if groups else "",
        grouped=f"group by {groups}" if groups else "",
        joined="inner join core.dim_product as product using (product_key)" if "product" in groups else "",
        start=FIRST_DAY,
        end=LAST_DAY,
    )
    paths = (question.path + dates for dates in _everything())

    def on_facts() -> float:
        with connect(owner) as connection:
            began = time.perf_counter()
            connection.execute(statement.encode()).fetchall()
            return time.perf_counter() - began

    with running("api", environment) as api:

        def by_route() -> float:
            asked = ask(api.port, [next(paths)])
            statuses.update(asked.statuses)
            return asked.seconds

        statuses: set[int] = set()
        ask(api.port, ["/api/v1/builds"])
        timings = in_turns(
            {"ours": by_route, "facts": on_facts},
        )
    ours, facts = timings["ours"].median, timings["facts"].median
    return Figure(
        f"{question.name}, all data, cold", "the plain SQL on the facts, over their time", rows, facts * 1000,
        ours * 1000, facts / ours, "ms", 100.0, "at least",
        "ours: the plain SQL; theirs: the route" + _other_answers(statuses),
    )  # fmt: skip
