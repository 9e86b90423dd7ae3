"""The pieces that the statements are put together from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import sql

from pipeline.answers.dates import DateRange
from pipeline.answers.dimensions import Dimension
from pipeline.answers.extras import is_extra
from pipeline.answers.relations import Part

BUCKET = "bucket"
COMMA = sql.SQL(", ")


@dataclass(frozen=True)
class Top:
    """The first ``n`` groups, of each group of ``within`` (columns) when it names some."""

    n: int
    within: Sequence[str] = ()


@dataclass(frozen=True)
class Shape:
    """What the statement depends on, all of it resolved."""

    groups: Sequence[Dimension]
    grain: str | None
    bucket_starts: Sequence[date]
    span: DateRange
    parts: Sequence[Part]
    filters: Mapping[str, Sequence[str]]
    sort: Sequence[str]
    limit: int | None
    offset: int
    top: Top | None = None
    # The whole months that the range and its buckets are the same as, where they are.
    months: DateRange | None = None
    # The rows to answer for, when they are not those that have lines; totals are over all the same.
    spine: sql.Composable | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that identify a group."""
        return [dimension.column for dimension in self.groups]

    @property
    def keys(self) -> list[str]:
        """The columns that identify a row."""
        return [*([BUCKET] if self.grain else []), *self.columns]


def where(
    day: sql.Composable,
    span: DateRange,
    expressions: Mapping[str, sql.Composable],
    filters: Mapping[str, Sequence[str]],
) -> sql.Composable:
    """The rows of the range (both days inclusive) that pass every filter."""
    return sql.SQL("{day} >= {start}::date and {day} < {end}::date + 1 {rest}").format(
        day=day,
        start=sql.Literal(span.start),
        end=sql.Literal(span.end),
        rest=conditions(expressions, filters),
    )


def conditions(
    expressions: Mapping[str, sql.Composable], filters: Mapping[str, Sequence[str]]
) -> sql.Composable:  # fmt: skip
    """The filters, each as ``and column = any (values)``."""
    condition = sql.SQL("and {} = any({}::text[])")
    return sql.SQL(" ").join(
        condition.format(expressions[column], sql.Literal(list(values))) for column, values in filters.items()
    )


def key_items(
    shape: Shape, expressions: Mapping[str, sql.Composable], day: sql.Composable
) -> list[sql.Composable]:
    """The bucket and the groups of a row, named as the shape's keys."""
    items: list[sql.Composable] = [
        sql.SQL("{} as {}").format(group_key(column, expressions[column]), sql.Identifier(column))
        for column in shape.columns
    ]
    if shape.grain:
        bucket = sql.SQL("date_trunc({}, {}::timestamp)::date as bucket")
        items.insert(0, bucket.format(sql.Literal(shape.grain), day))
    return items


def group_key(column: str, expression: sql.Composable) -> sql.Composable:
    """The value by which rows are grouped; never null."""
    # Guests have no customer: the empty id, which no customer can have, stands for them, so
    # that groups can be joined by equality. Nor is a column of the file ever kept as an empty text.
    is_nullable = column == "customer_id" or is_extra(column)
    return sql.SQL("coalesce({}, '')").format(expression) if is_nullable else expression


def in_page(names: Sequence[str], expressions: Mapping[str, sql.Composable]) -> sql.Composable:
    """The rows of the groups of the page."""
    wanted = (group_key(name, expressions[name]) for name in names)
    return sql.SQL("({}) in (select {} from page)").format(COMMA.join(wanted), COMMA.join(columns(names)))


def columns(names: Sequence[str], table: str | None = None) -> list[sql.Composable]:
    """The named columns, of ``table`` when given."""
    return [sql.Identifier(table, name) if table else sql.Identifier(name) for name in names]


def zero_if_missing(table: str, name: str) -> sql.Composable:
    """A joined table's number, 0 where it has no row."""
    return sql.SQL("coalesce({}, 0) as {}").format(sql.Identifier(table, name), sql.Identifier(name))


def group_by(keys: Sequence[str]) -> sql.Composable:
    """Grouping by the first columns selected; one row when there are no keys."""
    # Grouping by position: a column of the table may have the name of a key.
    positions = (sql.Literal(position) for position in range(1, len(keys) + 1))
    return sql.SQL("group by {}").format(COMMA.join(positions) if keys else sql.SQL("()"))


def left_join(table: str, to: str, keys: Sequence[str]) -> sql.Composable:
    """Joins ``table`` by equal keys; every row when there are none."""
    equal = [sql.SQL("{} = {}").format(sql.Identifier(table, k), sql.Identifier(to, k)) for k in keys]
    return sql.SQL("left join {} on {}").format(
        sql.Identifier(table), sql.SQL(" and ").join(equal) if equal else sql.SQL("true")
    )
