"""The statement that puts each row beside the same of an earlier range.

The earlier figures are computed for the rows of the answer alone, in the same statement, so that
neither a page nor a file has to hold what it is compared with.
"""

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from pipeline.answers.comparison import Shift
from pipeline.answers.dates import DateRange
from pipeline.answers.dimensions import Dimension
from pipeline.answers.measures import COUNTS, SUMS
from pipeline.answers.pieces import BUCKET, COMMA, Shape, columns
from pipeline.answers.relations import Part
from pipeline.answers.revenue_sql import result_columns, statement

EARLIER_COLUMNS = (*SUMS, *COUNTS, "total_net_revenue")


def compared_statement(
    shape: Shape, shift: Shift, parts: Sequence[Part], months: DateRange | None
) -> sql.Composed:
    """The rows of ``shape``, each with ``EARLIER_COLUMNS`` after its own.

    Args:
        shape: what was asked.
        shift: how far back the earlier range is.
        parts: the relations that answer for that.
        months: the whole months that it is the same as, where it is.
    """
    # Each row of the answer has one earlier row at most, so the limit holds for both.
    earlier = replace(
        shape,
        groups=[Dimension(dimension.group, dimension.column) for dimension in shape.groups],
        span=shift.range(shape.span),
        parts=parts,
        months=months,
        sort=(),
        offset=0,
        top=None,
        spine=_earlier_spine(shape, shift) if shape.keys else None,
    )
    equal = [
        sql.SQL("earlier.{0} = asked.{0}").format(sql.Identifier(column)) for column in shape.columns
    ]  # fmt: skip
    if shape.grain:
        equal.append(sql.SQL("earlier.bucket = {}").format(_earlier_bucket(shape, shift)))
    return sql.SQL(
        "with asked as ({asked}), earlier as ({earlier})"
        " select {columns} from asked left join earlier on {equal} order by asked.position"
    ).format(
        asked=statement(shape),
        earlier=statement(earlier),
        columns=COMMA.join(
            [*columns(result_columns(shape), "asked"), *columns(EARLIER_COLUMNS, "earlier")],
        ),
        equal=sql.SQL(" and ").join(equal) if equal else sql.SQL("true"),
    )


def _earlier_spine(shape: Shape, shift: Shift) -> sql.Composable:
    """The earlier bucket and the groups of each row; two buckets may have the same earlier one."""
    bucket = [sql.SQL("{} as bucket").format(_earlier_bucket(shape, shift))] if shape.grain else []
    return sql.SQL("select distinct {} from asked").format(COMMA.join([*bucket, *columns(shape.columns)]))


def _earlier_bucket(shape: Shape, shift: Shift) -> sql.Composable:
    """The first day of the bucket that a row is compared with; as ``Shift.back`` has it.

    By arithmetic, not by a table of buckets: of that, Postgres would expect a single row.
    """
    return sql.SQL(
        "date_trunc({grain}, greatest(asked.{bucket}, {start})::timestamp"
        " - make_interval(months => {months}, days => {days}))::date"
    ).format(
        grain=sql.Literal(shape.grain),
        bucket=sql.Identifier(BUCKET),
        start=sql.Literal(shape.span.start),
        months=sql.Literal(shift.months),
        days=sql.Literal(shift.days),
    )
