"""`tillhouse report lifetime-value`, `segments` and `cohorts`."""

from datetime import date
from decimal import Decimal
from typing import Any

import click

from pipeline.answers import numbers
from pipeline.answers.answer import Answer
from pipeline.answers.cohorts import CohortsQuestion, cohorts
from pipeline.answers.customer_models import (
    CohortRow,
    CohortValueRow,
    CustomerValueRow,
    MemberRow,
    SegmentRow,
)
from pipeline.answers.lifetime_value import YEAR_WEEKS, LifetimeQuestion, lifetime_value
from pipeline.answers.segments import QUINTILES, SEGMENTS, SegmentsQuestion, segments
from pipeline.cli.output import print_table
from pipeline.cli.report_answers import (
    ask,
    check_options,
    day_option,
    numbers_option,
    percent,
    print_exact,
    print_source,
    reporting,
    shown,
)

# A table is for eyes; --json and --csv have every row.
TABLE_ROWS = 20


@click.command("lifetime-value")
@click.option("--by", type=click.Choice(["customer", "cohort"]), default="customer", help="What a row is.")
@day_option("--calibration-end", help="Fit the purchases until this day, and predict from it.")
@click.option(
    "--horizon-weeks",
    type=click.IntRange(1, 520),
    default=YEAR_WEEKS,
    show_default=True,
    help="The weeks to predict.",
)
@reporting
def lifetime_value_report(
    *,
    by: Any,
    calibration_end: date | None,
    horizon_weeks: int,
    start: date | None,
    end: date | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print what customers have brought, and what they are expected to bring."""
    check_options(start, end, as_json=as_json, as_csv=as_csv)
    question = LifetimeQuestion(
        start=start, end=end, calibration_end=calibration_end, horizon_weeks=horizon_weeks, by=by
    )
    found = ask(lifetime_value, question)
    if as_json or as_csv:
        print_exact(found, CustomerValueRow if by == "customer" else CohortValueRow, as_csv=as_csv)
        return
    _print_values(found, by)
    _print_model(found.meta["model"])
    print_source(found.meta)


def _print_values(found: Answer, by: str) -> None:
    digits = numbers.minor_digits(found.meta["currency"])
    totals = found.meta["totals"]
    rows = list(found.rows)
    keys = ["Customer", "Last order"] if by == "customer" else ["Cohort", "Customers"]
    headers = ["Orders", "Net revenue", "Margin", "Expected purchases", "Expected revenue"]

    def figures(row: dict[str, Any]) -> list[str | None]:
        return [
            shown(row["orders"], 0),
            shown(row["net_revenue"], digits),
            shown(row["margin"], digits),
            shown(row["predicted_purchases"], 2),
            shown(row["predicted_value"], digits),
        ]

    table = [
        [row["customer"]["id"], row["last_order_date"], *figures(row)]
        if by == "customer"
        else [row["cohort"][:7], shown(row["customers"], 0), *figures(row)]
        for row in rows[:TABLE_ROWS]
    ]
    table.append([f"All {totals['customers']}", "", *figures(totals)])
    print_table([*keys, *headers], table, right=headers, title=f"Lifetime value, {found.meta['currency']}")
    if len(rows) > TABLE_ROWS:
        click.echo(f"The first {TABLE_ROWS} of {len(rows)} rows; --json and --csv print all.")
    mean, margin = shown(totals["mean_net_revenue"], digits), shown(totals["mean_margin"], digits)
    click.echo(f"Per customer: net revenue {mean or '–'}, margin {margin or '–'}")


def _print_model(model: dict[str, Any] | None) -> None:
    if model is None:
        return
    click.echo(
        f"Expected in the {model['horizon_weeks']} weeks after {model['calibration_end']}, from "
        f"{model['customers']} customers, {model['repeat_customers']} of whom came back: {model['method']}"
    )
    for part, names in (("purchases", ("r", "alpha", "a", "b")), ("value", ("p", "q", "gamma"))):
        if model[part]:
            parameters = ", ".join(f"{name} {model[part][name]}" for name in names)
            click.echo(f"  {part}: {parameters}, log-likelihood {model[part]['log_likelihood']}")
            if model[part]["at_limit"]:
                stopped = ", ".join(model[part]["at_limit"])
                click.echo(f"    the data would have these go on for ever: {stopped}")
    if model["reason"]:
        click.echo(f"  No prediction: {model['reason']}")
    holdout = model["holdout"]
    if holdout:
        click.echo(
            f"  fitted until {holdout['calibration_end']} and compared until {holdout['end_date']}: "
            f"{shown(holdout['predicted_purchases'], 1)} purchases expected, "
            f"{shown(holdout['actual_purchases'], 0)} made ({percent(holdout['relative_error']) or '–'}); "
            f"mean error per customer {holdout['mean_absolute_error']}"
        )


@click.command("segments")
@day_option("--as-of", help="Count recency to this day, and nothing after it.")
@numbers_option("--cuts", help="Four fractions of the customers that part the scores; 0.2,0.4,0.6,0.8.")
@numbers_option("--recency-cuts", whole=True, help="Four numbers of days instead.")
@numbers_option("--frequency-cuts", whole=True, help="Four numbers of orders instead.")
@numbers_option("--monetary-cuts", help="Four amounts instead.")
@click.option("--members", is_flag=True, help="A row for each customer.")
@click.option("--segment", "names", multiple=True, type=click.Choice(SEGMENTS), help="Repeat for several.")
@reporting
def segments_report(
    *,
    as_of: date | None,
    cuts: tuple[Decimal, ...],
    recency_cuts: tuple[int, ...],
    frequency_cuts: tuple[int, ...],
    monetary_cuts: tuple[Decimal, ...],
    members: bool,
    names: tuple[str, ...],
    start: date | None,
    end: date | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print customers by how recently, how often and for how much they bought."""
    check_options(start, end, as_json=as_json, as_csv=as_csv)
    question = SegmentsQuestion(
        as_of=as_of,
        start=start,
        end=end,
        fractions=cuts or QUINTILES,
        recency_cuts=recency_cuts,
        frequency_cuts=frequency_cuts,
        monetary_cuts=monetary_cuts,
        members=members,
        segments=names,
    )
    found = ask(segments, question)
    if as_json or as_csv:
        print_exact(found, MemberRow if members else SegmentRow, as_csv=as_csv)
        return
    digits = numbers.minor_digits(found.meta["currency"])
    if members:
        _print_members(found, digits)
    else:
        _print_segments(found, digits)
    cut_points = found.meta["segmentation"]["cut_points"]
    for name, values in cut_points.items():
        click.echo(f"{name} cut at {', '.join(map(str, values)) or '–'}")
    print_source(found.meta)


def _print_segments(found: Answer, digits: int) -> None:
    headers = ["Customers", "Share", "Orders", "Net revenue", "Share of revenue", "Days since", "Mean orders"]
    rows = [
        [
            row["segment"].replace("_", " "),
            shown(row["customers"], 0),
            percent(row["share_of_customers"]),
            shown(row["orders"], 0),
            shown(row["net_revenue"], digits),
            percent(row["share_of_total"]),
            shown(row["mean_recency_days"], 1),
            shown(row["mean_orders"], 1),
        ]
        for row in found.rows
    ]
    title = f"Segments as of {found.meta['segmentation']['as_of']}, {found.meta['currency']}"
    print_table(["Segment", *headers], rows, right=headers, title=title)


def _print_members(found: Answer, digits: int) -> None:
    headers = ["Days since", "Orders", "Net revenue", "R", "F", "M"]
    rows = [
        [
            row["customer"]["id"],
            row["segment"].replace("_", " "),
            row["recency_days"],
            row["orders"],
            shown(row["net_revenue"], digits),
            row["recency_score"],
            row["frequency_score"],
            row["monetary_score"],
        ]
        for row in found.rows
    ]
    print_table(["Customer", "Segment", *headers], rows, right=headers)


@click.command("cohorts")
@reporting
def cohorts_report(*, start: date | None, end: date | None, as_json: bool, as_csv: bool) -> None:
    """Print how many customers came back, by the month of their first order."""
    check_options(start, end, as_json=as_json, as_csv=as_csv)
    found = ask(cohorts, CohortsQuestion(start=start, end=end))
    if as_json or as_csv:
        print_exact(found, CohortRow, as_csv=as_csv)
        return
    cells = list(found.rows)
    headers = [str(n) for n in range(max((cell["months_since"] for cell in cells), default=-1) + 1)]
    table: dict[str, list[Any]] = {}
    for cell in cells:
        row = table.setdefault(
            cell["cohort"], [cell["cohort"][:7], cell["cohort_customers"], *[""] * len(headers)]
        )
        row[2 + cell["months_since"]] = percent(cell["retention"])
    print_table(
        ["First order", "Customers", *headers],
        table.values(),
        right=["Customers", *headers],
        title="Customers who ordered, by months since the first order",
    )
    print_source(found.meta)
