"""The story in sentences: each says what the figures say, and the same figures give the same sentences."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from pipeline.answers.answer import Row
from pipeline.findings.gathering import Findings, Part, has_sales, label
from pipeline.findings.wording import amount, bucket_name, counted, day, during, number, percent, segment

Sentences = list[str]


def of_total(findings: Findings) -> Sentences:
    """What was earned, beside the earlier period, and what it is made of."""
    total, currency = findings.total, findings.currency
    if not has_sales(total):
        nothing = f"There were no sales {during(findings.period.span)}."
        return [nothing, *_compared(findings), *_reach(findings)]
    net = Decimal(total["net_revenue"])
    said = [
        f"Net revenue {during(findings.period.span)} was {amount(net, currency)}, "
        f"from {counted(total['orders'], 'order')}."
    ]
    if net < 0:
        said.append("More came back than was sold.")
    return [*said, *_compared(findings), *_made_of(findings), *_reach(findings)]


def of_trend(findings: Findings) -> Sentences:
    """The best and the weakest time."""
    grain, rows = findings.grain, findings.trend
    best = max(rows, key=lambda row: Decimal(row["net_revenue"]))
    said = [f"The best {grain} was {_bucket(best, findings)}."]
    empty = sum(1 for row in rows if not has_sales(row))
    whole = [row for row in rows if not row["bucket"]["is_partial"]]
    if empty:
        preposition = "On" if grain == "day" else "In"
        said.append(f"{preposition} {empty} of {counted(len(rows), grain)} nothing was sold.")
    elif len(whole) > 1:
        weakest = min(whole, key=lambda row: Decimal(row["net_revenue"]))
        said.append(f"The weakest {'whole ' if len(whole) < len(rows) else ''}{grain} was "
                    f"{_bucket(weakest, findings)}.")  # fmt: skip
    return said


def of_parts(parts: Sequence[Part], findings: Findings) -> Sentences:
    """Which groups brought the most; shares are told of a total above 0 alone."""
    total = Decimal(findings.total["net_revenue"])
    first, *others = [part for part in parts if part.name is not None]
    earned = amount(first.net_revenue, findings.currency)
    if total <= 0:
        return [
            f"{first.name} brought the most, {earned}.",
            "Of a total that is not above 0, shares mean nothing.",
        ]
    said = [f"{first.name} brought the most: {earned}, {_share(first, total)} of net revenue."]
    if others:
        then = " and ".join(f"{part.name} with {_share(part, total)}" for part in others[:2])
        said.append(f"Next {'come' if len(others) > 1 else 'comes'} {then}.")
    rest = next((part for part in parts if part.name is None), None)
    if rest is not None and rest.net_revenue:
        count = len(parts) - 1
        named = Part(None, total - rest.net_revenue, None)
        said.append(f"The first {count} brought {_share(named, total)}, all others {_share(rest, total)}.")
    return said


def of_movers(findings: Findings) -> Sentences:
    """Which product gained most, and which lost most."""
    if findings.earlier is None:
        return ["There is no earlier period, so no product gained or lost."]
    if not findings.movers:
        return [f"Every product brought as much as {during(findings.earlier)}."]
    best, worst = findings.movers[0], findings.movers[-1]
    said = []
    if Decimal(best["difference"]) > 0:
        said.append(f"{_moved(best, 'gained', findings)}.")
    if Decimal(worst["difference"]) < 0:
        said.append(f"{_moved(worst, 'lost', findings)}.")
    return said


def of_anomalies(findings: Findings) -> Sentences:
    """Which days are out of the ordinary."""
    count = len(findings.anomalies)
    if not count:
        return ["No day was far from what its weekday and the weeks around suggest."]
    farthest = max(findings.anomalies, key=lambda row: abs(Decimal(row["score"])))
    found, expected = (amount(farthest[name], findings.currency) for name in ("net_revenue", "expected"))
    far = "was far from what its" if count == 1 else "were far from what their"
    return [
        f"{counted(count, 'day')} {far} weekday and the weeks around suggest.",
        f"The farthest was {day(farthest['sale_date'])}: {found}, where {expected} was to be expected.",
    ]


def of_customers(findings: Findings) -> Sentences:
    """How many bought, how many of them for the first time, and who brought the most."""
    row, before = findings.customers, findings.earlier_customers
    if not row["customers"]:
        return ["No customer is known: the orders name none."] if row["orders"] else ["Nobody bought."]
    said = [
        f"{counted(row['customers'], 'customer')} bought: {row['new_customers']} for the first time, "
        f"{row['returning_customers']} had bought before.",
        f"{row['repeat_customers']} ordered more than once ({percent(row['repeat_rate'])}).",
    ]
    if before is not None and findings.earlier is not None:
        said.append(f"The number of customers {during(findings.earlier)} was {number(before['customers'])}.")
    return said


def of_segments(findings: Findings) -> Sentences:
    """The largest segments, by customers and by money."""
    crowd = max(findings.segments, key=lambda row: int(row["customers"]))
    rich = max(findings.segments, key=lambda row: Decimal(row["net_revenue"]))
    return [
        f"No segment has more customers than {segment(crowd['segment'])}: {number(crowd['customers'])}, "
        f"{percent(crowd['share_of_customers'])} of all.",
        f"The segment {segment(rich['segment'])} brought the most, "
        f"{amount(rich['net_revenue'], findings.currency)}.",
    ]


def _compared(findings: Findings) -> Sentences:
    """The total beside that of the earlier period."""
    if findings.earlier is None or findings.data is None:
        return ["There is nothing earlier to compare it with."]
    now = Decimal(findings.total["net_revenue"])
    before = Decimal(findings.total["comparison"]["net_revenue"]["previous"])
    said = f"That is {_difference(now, before, findings.currency)} {during(findings.earlier)}"
    said += "." if now == before else f" ({amount(before, findings.currency)})."
    if findings.earlier.start >= findings.data.start:
        return [said]
    return [said, f"The earlier period is not whole: the data begins on {day(findings.data.start)}."]


def _difference(now: Decimal, before: Decimal, currency: str) -> str:
    if now == before:
        return "as much as"
    # Of nothing, or of less than nothing, there is no percentage.
    share = f" ({percent(abs(Fraction(now - before) / Fraction(before)))})" if before > 0 else ""
    return f"{amount(abs(now - before), currency)}{share} {'more' if now > before else 'less'} than"


def _made_of(findings: Findings) -> Sentences:
    """The average order, what was taken off, and the margin."""
    total, currency = findings.total, findings.currency
    said = []
    if total["average_order_value"] is not None:
        before = total["comparison"]["average_order_value"]["previous"] if findings.earlier else None
        earlier = "" if before is None else f" ({amount(before, currency)} before)"
        said.append(f"An order brought {amount(total['average_order_value'], currency)} on average{earlier}.")
    for name, word in (("discounts", "Discounts"), ("returns", "Returns")):
        if Decimal(total[name]):
            said.append(f"{word} took {amount(total[name], currency)}.")
    if total["margin"] is None:
        return [*said, "No cost is known, so there is no margin to tell."]
    coverage = total["cost_coverage"]
    known = "" if coverage is None else f", over {percent(coverage)} of net revenue, whose cost is known"
    return [*said, f"The margin was {amount(total['margin'], currency)}{known}."]


def _reach(findings: Findings) -> Sentences:
    """Where the data does not reach over all of the period."""
    span, data = findings.period.span, findings.data
    if data is None:
        return ["There is no data at all."]
    said = []
    if span.start < data.start:
        said.append(f"The data begins on {day(data.start)}, later than the period.")
    if data.end < span.end:
        said.append(f"The data ends on {day(data.end)}, earlier than the period.")
    return said


def _bucket(row: Row, findings: Findings) -> str:
    name = bucket_name(row["bucket"]["start_date"], findings.grain)
    if findings.grain == "week":
        name = f"the {name}"
    return f"{name}, with {amount(row['net_revenue'], findings.currency)}"


def _share(part: Part, total: Decimal) -> str:
    return percent(Fraction(part.net_revenue) / Fraction(total))


def _moved(row: Row, verb: str, findings: Findings) -> str:
    currency = findings.currency
    return (
        f"{label(row['product'])} {verb} most, {amount(abs(Decimal(row['difference'])), currency)}: "
        f"from {amount(row['previous'], currency)} to {amount(row['net_revenue'], currency)}"
    )
