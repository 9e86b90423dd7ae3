"""The one transaction that makes a build visible.

Tables are brought to the candidate's state by difference: rows are upserted parents first and
deleted children first, and equal rows are left alone. Swapping or truncating tables would be
quicker to write, but catalog look-ups ignore a reader's snapshot, so a reader with an open
transaction would see another build's numbers or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from pipeline.builds.changes import closed_months_of, record_changes
from pipeline.builds.declarations import CANDIDATE, SCOPE_ALL, Published
from pipeline.builds.plan import SAMPLE_LEAVES, Build
from pipeline.builds.tables import (
    add_primary_key,
    add_relations,
    has_primary_key,
    renew_key,
    renew_relations,
    retire_columns,
)
from pipeline.errors import TillhouseError
from pipeline.jobs.rows import finish
from pipeline.landing.closed_months import named

_CLOSED_MONTHS_CHANGED = (
    "It changed closed months: {months}. What was reported of them no longer holds; "
    "/api/v1/builds/{build_id}/changes has the difference."
)


class PublishError(TillhouseError):
    """The candidate cannot be published; what readers see is unchanged."""


@dataclass(frozen=True)
class Publication:
    """What a published build changed.

    Money is in the warehouse's currency; ``rows_changed`` counts, per table, the rows that
    were written and deleted; ``warning`` names the closed months that it changed.
    """

    build_id: int
    is_full: bool
    data_as_of: date | None
    lines_added: int
    lines_removed: int
    net_revenue_before: Decimal
    net_revenue_after: Decimal
    rows_changed: dict[str, dict[str, int]]
    dates_changed: int
    new_batches: int
    sample_retired: bool
    warning: str | None

    @property
    def message(self) -> str:
        """What happened, in a sentence or two."""
        sample = SAMPLE_LEAVES if self.sample_retired else None
        return " ".join(filter(None, (f"Build {self.build_id} published.", self.warning, sample)))


def publish(
    connection: Connection,
    build: Build,
    declarations: Sequence[Published],
    *,
    refresh_id: str | None = None,
    run_id: str | None = None,
) -> Publication:
    """Publish the candidate and close the refresh that asked for it, or change nothing.

    Raises:
        PublishError: the candidate is not this build's.
    """
    with connection.transaction():
        _check_candidate(connection, build)
        before = _net_revenue_before(connection, build)
        retire_columns(connection, declarations)
        record_changes(connection, build)
        first_time = {item.to for item in declarations if not has_primary_key(connection, item)}
        known = [item for item in declarations if item.to not in first_time]
        if build.is_full:
            # Other models may have other keys: after a change of the project a build is a full one.
            for item in known:
                renew_key(connection, item)
        rows_changed = {item.to: {"written": 0, "deleted": 0} for item in declarations}
        for item in declarations:
            rows_changed[item.to]["written"] = _write(connection, build, item, item.to in first_time)
        for item in reversed(known):
            rows_changed[item.to]["deleted"] = _delete(connection, build, item)
        for item in declarations:
            if item.to in first_time:
                add_primary_key(connection, item)
        for item in declarations:
            if item.to in first_time:
                add_relations(connection, item)
        if build.is_full:
            # Last, for readers wait until the transaction ends.
            renew_relations(connection, known)
        publication = _record(connection, build, before, rows_changed)
        if refresh_id is not None:
            finish(connection, refresh_id, run_id, "succeeded", publication.message)
    return publication


def analyze_published(connection: Connection, declarations: Sequence[Published]) -> None:
    """Renew the planner's statistics, as a full build calls for; those of amounts serve no plan."""
    for item in declarations:
        connection.execute(
            sql.SQL("analyze {} ({})").format(
                item.relation, _columns([column.name for column in item.columns if not column.is_amount])
            )
        )


def _check_candidate(connection: Connection, build: Build) -> None:
    row = connection.execute("select build_id from candidate.build").fetchone()
    if row is None or row[0] != build.build_id:
        raise PublishError(
            f"The candidate schema holds build {row[0] if row else 'none'}, not build {build.build_id}: "
            "another refresh began meanwhile. Nothing was published; start the refresh again."
        )


def _write(connection: Connection, build: Build, item: Published, first_time: bool) -> int:
    columns = _columns(item.column_names)

    if first_time:
        statement = sql.SQL("insert into {to} ({columns}) select {columns} from {candidate}")
    else:
        statement = sql.SQL(
            """
            insert into {to} ({columns})
            select {columns} from {candidate} as candidate
            {unless_equal}
            on conflict ({key}) do update set {assignments}
            where ({current}) is distinct from ({incoming})
            """
        )
    written = connection.execute(
        statement.format(
            to=item.relation,
            columns=columns,
            candidate=item.candidate,
            unless_equal=_unless_equal(item) if _is_whole(build, item) else sql.SQL(""),
            key=_columns(item.key),
            assignments=sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name))
                for name in item.column_names
                if name not in item.key
            ),
            current=_columns(item.compared, item.table),
            incoming=_columns(item.compared, "excluded"),
        )
    )
    return written.rowcount


def _is_whole(build: Build, item: Published) -> bool:
    """Whether the candidate holds all rows of the table, not only touched ones."""
    return build.is_full or item.scope == SCOPE_ALL


def _unless_equal(item: Published) -> sql.Composable:
    """Filters the rows of a whole table that equal what is published: a conflict costs a lock."""
    return sql.SQL(
        """
        where not exists (
            select 1 from {to} as published
            where {same_key} and ({a}) is not distinct from ({b})
        )
        """
    ).format(
        to=item.relation,
        same_key=_same_key(item.key, "published", "candidate"),
        a=_columns(item.compared, "published"),
        b=_columns(item.compared, "candidate"),
    )


def _delete(connection: Connection, build: Build, item: Published) -> int:
    """Delete what is in scope and no longer in the candidate."""
    if _is_whole(build, item):
        scope: sql.Composable = sql.SQL("")
    else:
        scope = sql.SQL("({key}) in (select {key} from {scope}) and").format(
            key=_columns(item.key), scope=sql.Identifier(CANDIDATE, item.scope)
        )
    deleted = connection.execute(
        sql.SQL(
            """
            delete from {to} as published
            where {scope} not exists (select 1 from {candidate} as candidate where {same_key})
            """
        ).format(
            to=item.relation,
            scope=scope,
            candidate=item.candidate,
            same_key=_same_key(item.key, "published", "candidate"),
        )
    )
    return deleted.rowcount


def _record(
    connection: Connection, build: Build, before: Decimal, rows_changed: dict[str, dict[str, int]]
) -> Publication:
    after = _net_revenue_after(connection, build, before)
    months = closed_months_of(connection, build.build_id)
    warning = _CLOSED_MONTHS_CHANGED.format(months=named(months), build_id=build.build_id) if months else None
    row = connection.execute(
        """
        update core.builds
        set
            status = 'published',
            built_at = now(),
            finished_at = clock_timestamp(),
            data_as_of = (select max(sale_date) from core.fct_order_lines),
            lines_added = changes.lines_added,
            lines_removed = changes.lines_removed,
            rows_changed = %(rows_changed)s,
            net_revenue_before = %(before)s,
            net_revenue_after = %(after)s,
            message = %(warning)s
        from (
            select
                coalesce(sum(lines_added), 0) as lines_added,
                coalesce(sum(lines_removed), 0) as lines_removed,
                count(distinct sale_date) as dates_changed
            from core.build_changes
            where build_id = %(build_id)s
        ) as changes
        where build_id = %(build_id)s
        returning
            data_as_of, changes.lines_added, changes.lines_removed, changes.dates_changed,
            (select count(*) from core.build_batches where build_id = %(build_id)s)
        """,
        {
            "rows_changed": Jsonb(rows_changed),
            "before": before,
            "after": after,
            "warning": warning,
            "build_id": build.build_id,
        },
    ).fetchone()
    assert row is not None
    return Publication(
        build_id=build.build_id,
        is_full=build.is_full,
        data_as_of=row[0],
        lines_added=int(row[1]),
        lines_removed=int(row[2]),
        net_revenue_before=before,
        net_revenue_after=after,
        rows_changed=rows_changed,
        dates_changed=int(row[3]),
        new_batches=int(row[4]),
        sample_retired=build.sample_retired,
        warning=warning,
    )


def _net_revenue_before(connection: Connection, build: Build) -> Decimal:
    """What is published: by the last build's record, for a sum would cost a delta the whole history."""
    row = connection.execute(
        "select net_revenue_after from core.builds where status = 'published' order by build_id desc limit 1"
    ).fetchone()
    return _net_revenue(connection) if build.is_full or row is None else Decimal(row[0])


def _net_revenue_after(connection: Connection, build: Build, before: Decimal) -> Decimal:
    if build.is_full:
        return _net_revenue(connection)
    row = connection.execute(
        "select coalesce(sum(net_revenue), 0) from core.build_changes where build_id = %s", (build.build_id,)
    ).fetchone()
    assert row is not None
    return before + Decimal(row[0])


def _net_revenue(connection: Connection) -> Decimal:
    row = connection.execute("select coalesce(sum(net_revenue), 0) from marts.revenue_daily").fetchone()
    assert row is not None
    return Decimal(row[0])


def _columns(names: Sequence[str], relation: str | None = None) -> sql.Composable:
    prefix = (relation,) if relation else ()
    return sql.SQL(", ").join(sql.Identifier(*prefix, name) for name in names)


def _same_key(key: Sequence[str], left: str, right: str) -> sql.Composable:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in key
    )
