"""The one statement that answers a question about revenue.

It is put together from named steps::

    parts      the sums of each stretch of dates, from the relation that answers for it
    additive   one row per group and bucket that has lines
    spine      every row of the answer: the groups, the buckets, or groups × buckets
    frame      the spine with its sums, zero where there are none
    counts     distinct orders and customers per group and bucket
    page       the rows asked for, in order

Distinct counts are the dear part, so they are counted for the page's groups alone unless the order
of the rows depends on them. Where a rollup has far more groups than a page, the steps up to the page
have only the sums that put them in order, and two more have all sums of the page's groups::

    page_parts, page_sums
"""

from collections.abc import Sequence

from psycopg import sql

from pipeline.answers.counts_sql import counts
from pipeline.answers.measures import COUNTS, SUMS, needs_counts, sort_expression, sort_sums
from pipeline.answers.pieces import (
    BUCKET,
    COMMA,
    Shape,
    columns,
    group_by,
    in_page,
    key_items,
    left_join,
    where,
    zero_if_missing,
)


def result_columns(shape: Shape) -> list[str]:
    """The names of the statement's columns, in order."""
    names = [f"{dimension.group}_name" for dimension in shape.groups if dimension.name]
    return [*shape.keys, *names, *SUMS, *COUNTS, "total_net_revenue", "position", *_rank(shape)]


def statement(shape: Shape) -> sql.Composed:
    """The statement for a question; it has no parameters, every value is quoted in it."""
    is_counted_first = any(needs_counts(name.lstrip("-")) for name in shape.sort)
    is_part = bool(shape.groups) and (shape.limit is not None or shape.top is not None)
    # Edges of months are lines, which are better read once.
    has_many_groups = all(part.relation.has_many_groups for part in shape.parts)
    is_summed_later = is_part and not is_counted_first and has_many_groups
    sums = _ranking_sums(shape) if is_summed_later else SUMS
    steps = {
        "parts": _parts(shape, sums),
        "additive": _additive(shape, "parts", sums),
        "spine": _spine(shape),
    }
    steps["frame"] = _frame(shape, sums)
    if is_counted_first:
        steps |= counts(shape, only_page=False)
        steps["measured"] = _with_counts(shape, "frame", columns([*shape.keys, *SUMS], "frame"))
        steps["page"] = _page(shape, "measured", [*shape.keys, *SUMS, *COUNTS])
        final = sql.SQL("select {} from page").format(_final_columns(shape, "page", "page"))
    else:
        steps["page"] = _page(shape, "frame", [*shape.keys, *sums])
        steps |= counts(shape, only_page=is_part)
        others = [left_join("counts", "page", shape.keys)]
        if is_summed_later:
            steps["page_parts"] = _parts(shape, SUMS, only_page=True)
            steps["page_sums"] = _additive(shape, "page_parts", SUMS)
            others.append(left_join("page_sums", "page", shape.keys))
        final = sql.SQL("select {} from page {}").format(
            _final_columns(shape, "page_sums" if is_summed_later else "page", "counts"),
            sql.SQL(" ").join(others),
        )
    joins = [dimension.name_join for dimension in shape.groups if dimension.name_join]
    with_steps = COMMA.join(
        sql.SQL("{} as ({})").format(sql.Identifier(name), step) for name, step in steps.items()
    )
    return sql.SQL(" ").join([sql.SQL("with"), with_steps, final, *joins, sql.SQL("order by page.position")])


def _ranking_sums(shape: Shape) -> list[str]:
    """The sums that the order of the rows and the total need."""
    needed = {"net_revenue"}.union(*(sort_sums(name.lstrip("-")) for name in shape.sort))
    return [name for name in SUMS if name in needed]


def _parts(shape: Shape, sums: Sequence[str], *, only_page: bool = False) -> sql.Composable:
    selects = []
    for part in shape.parts:
        relation = part.relation
        condition = where(relation.day, part.span, relation.columns, shape.filters)
        if only_page:
            condition = sql.SQL("{} and {}").format(condition, in_page(shape.columns, relation.columns))
        selects.append(
            sql.SQL("select {items} from {table} {joins} where {where} {group}").format(
                items=COMMA.join(
                    [
                        *key_items(shape, relation.columns, relation.day),
                        *(sql.SQL("{} as {}").format(relation.sums[n], sql.Identifier(n)) for n in sums),
                    ]
                ),
                table=relation.table,
                joins=sql.SQL(" ").join(
                    join
                    for column, join in relation.joins.items()
                    if column in shape.columns or column in shape.filters
                ),
                where=condition,
                group=group_by(shape.keys),
            )
        )
    return sql.SQL(" union all ").join(selects)


def _additive(shape: Shape, source: str, sums: Sequence[str]) -> sql.Composable:
    summed = (sql.SQL("coalesce(sum({0}), 0) as {0}").format(sql.Identifier(name)) for name in sums)
    return sql.SQL("select {} from {} {}").format(
        COMMA.join([*columns(shape.keys), *summed]), sql.Identifier(source), group_by(shape.keys)
    )


def _spine(shape: Shape) -> sql.Composable:
    if shape.spine is not None:
        return shape.spine
    if shape.grain is None:
        return sql.SQL("select {} from additive").format(COMMA.join(columns(shape.columns)))
    every_bucket = sql.SQL("select bucket from unnest({}::date[]) as starts (bucket)").format(
        sql.Literal(list(shape.bucket_starts))
    )
    if not shape.groups:
        return every_bucket
    return sql.SQL(
        "select every_bucket.bucket, {columns} from ({every_bucket}) as every_bucket"
        " cross join (select distinct {columns} from additive) as every_group"
    ).format(columns=COMMA.join(columns(shape.columns)), every_bucket=every_bucket)


def _frame(shape: Shape, sums: Sequence[str]) -> sql.Composable:
    if not shape.keys:
        return sql.SQL("select {} from additive").format(COMMA.join(columns(sums)))
    return sql.SQL("select {} from spine {}").format(
        COMMA.join([*columns(shape.keys, "spine"), *(zero_if_missing("additive", name) for name in sums)]),
        left_join("additive", "spine", shape.keys),
    )


def _page(shape: Shape, source: str, names: Sequence[str]) -> sql.Composable:
    # The planner guesses 200 groups; a plain offset beyond them would make it expect one row, and
    # count the rest by nested loops. It cannot look into a query.
    return sql.SQL(
        "select {columns}, row_number() over (order by {order}) as position"
        " from (select {names}, {total} as total_net_revenue {rank} from {source}) as ranked"
        " where {wanted} order by position limit {limit} offset (select {offset})"
    ).format(
        columns=COMMA.join(columns([*names, "total_net_revenue", *_rank(shape)])),
        order=_order(shape, [*shape.top.within, "rank"] if shape.top else []),
        names=COMMA.join(columns(names)),
        total=sql.SQL("(select sum(net_revenue) from additive)"),
        rank=_rank_item(shape),
        source=sql.Identifier(source),
        wanted=_wanted(shape),
        limit=sql.Literal(shape.limit),
        offset=sql.Literal(shape.offset),
    )


def _rank(shape: Shape) -> list[str]:
    return ["rank"] if shape.top else []


def _rank_item(shape: Shape) -> sql.Composable:
    if shape.top is None:
        return sql.SQL("")
    partition = COMMA.join(columns(shape.top.within))
    return sql.SQL(", row_number() over ({} order by {}) as rank").format(
        sql.SQL("partition by {}").format(partition) if shape.top.within else sql.SQL(""), _order(shape, [])
    )


def _wanted(shape: Shape) -> sql.Composable:
    return sql.SQL("rank <= {}").format(sql.Literal(shape.top.n)) if shape.top else sql.SQL("true")


def _order(shape: Shape, first: Sequence[str]) -> sql.Composable:
    items: list[sql.Composable] = [
        sql.Identifier(name) if name == "rank" else _by_text(name) for name in first
    ]  # fmt: skip
    for name in shape.sort:
        key = name.lstrip("-")
        column = next((dimension.column for dimension in shape.groups if dimension.group == key), None)
        expression = _by_text(column) if column else sort_expression(key)
        direction = sql.SQL("desc" if name.startswith("-") else "asc")
        items.append(sql.SQL("{} {} nulls last").format(expression, direction))
    if shape.grain:
        items.append(sql.Identifier(BUCKET))
    items.extend(_by_text(column) for column in shape.columns)
    return COMMA.join(items or [sql.SQL("net_revenue")])


def _by_text(column: str) -> sql.Composable:
    # Ranks must not depend on the collation of the database.
    return sql.SQL('{} collate "C"').format(sql.Identifier(column))


def _with_counts(shape: Shape, source: str, items: Sequence[sql.Composable]) -> sql.Composable:
    found = (zero_if_missing("counts", name) for name in COUNTS)
    return sql.SQL("select {} from {} {}").format(
        COMMA.join([*items, *found]), sql.Identifier(source), left_join("counts", source, shape.keys)
    )


def _final_columns(shape: Shape, sums_from: str, counts_from: str) -> sql.Composable:
    names = (
        sql.SQL("{} as {}").format(dimension.name, sql.Identifier(f"{dimension.group}_name"))
        for dimension in shape.groups
        if dimension.name
    )
    return COMMA.join(
        [
            *columns(shape.keys, "page"),
            *names,
            *(zero_if_missing(sums_from, name) for name in SUMS),
            *(zero_if_missing(counts_from, name) for name in COUNTS),
            *columns(["total_net_revenue", "position", *_rank(shape)], "page"),
        ]
    )
