"""The statement that puts each row beside the same of an earlier range.

The earlier figures are computed for the rows of the answer alone, in the same statement, so that
neither a page nor a file has to hold what it is compared with.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from psycopg import sql

from pipeline.answers.dates import DateRange
from pipeline.answers.dimensions import Dimension
from pipeline.answers.measures import COUNTS, SUMS
from pipeline.answers.pieces import BUCKET, COMMA, Shape, columns
from pipeline.answers.relations import Part
from pipeline.answers.revenue_sql import result_columns, statement

EARLIER_COLUMNS = (*SUMS, *COUNTS, "total_net_revenue")


def compared_statement(
    shape: Shape, span: DateRange, parts: Sequence[Part], earlier_starts: Sequence[date]
) -> sql.Composed:
    """The rows of ``shape``, each with ``EARLIER_COLUMNS`` after its own.

    Args:
        shape: what was asked.
        span: the earlier range.
        parts: the relations that answer for it.
        earlier_starts: for each of the shape's buckets, the first day of the bucket to compare with.
    """
    moments = sql.SQL("select * from unnest({}::date[], {}::date[]) as moments (bucket, earlier)").format(
        sql.Literal(list(shape.bucket_starts)), sql.Literal(list(earlier_starts))
    )
    earlier = replace(
        shape,
        groups=[Dimension(dimension.group, dimension.column) for dimension in shape.groups],
        span=span,
        parts=parts,
        sort=(),
        limit=None,
        offset=0,
        top=None,
        spine=_earlier_spine(shape),
    )
    return sql.SQL(
        "with asked as ({asked}), moments as ({moments}), earlier as ({earlier})"
        " select {columns} from asked {joins} order by asked.position"
    ).format(
        asked=statement(shape),
        moments=moments,
        earlier=statement(earlier),
        columns=COMMA.join(
            [*columns(result_columns(shape), "asked"), *columns(EARLIER_COLUMNS, "earlier")],
        ),
        joins=_joins(shape),
    )


def _earlier_spine(shape: Shape) -> sql.Composable:
    """The earlier bucket and the groups of each row; two buckets may have the same earlier one."""
    if shape.grain is None:
        return sql.SQL("select {} from asked").format(COMMA.join(columns(shape.columns)))
    return sql.SQL("select distinct {} from asked inner join moments using (bucket)").format(
        COMMA.join([sql.SQL("moments.earlier as bucket"), *columns(shape.columns, "asked")])
    )


def _joins(shape: Shape) -> sql.Composable:
    by_bucket = sql.SQL("inner join moments on moments.bucket = asked.bucket") if shape.grain else sql.SQL("")
    equal = [
        sql.SQL("earlier.{0} = asked.{0}").format(sql.Identifier(column)) for column in shape.columns
    ]  # fmt: skip
    if shape.grain:
        equal.insert(0, sql.SQL("earlier.{} = moments.earlier").format(sql.Identifier(BUCKET)))
    condition = sql.SQL(" and ").join(equal) if equal else sql.SQL("true")
    return sql.SQL("{} left join earlier on {}").format(by_bucket, condition)
