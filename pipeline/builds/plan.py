"""What a build takes in: fixed in the transaction that makes the candidate schema anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection

from pipeline.builds.dbt_runner import project_hash
from pipeline.builds.declarations import Published
from pipeline.builds.tables import make_tables
from pipeline.landing.pending import PENDING, is_restated

SAMPLE_SOURCE = "sample"
FIRST_START = "first start"
SAMPLE_LEAVES = "The sample leaves the numbers: data of your own has arrived."
DBT_APPLICATION = "tillhouse-dbt"


@dataclass(frozen=True)
class Build:
    """One build, its kind, and the landed batches that it takes in."""

    build_id: int
    is_full: bool
    batch_ids: tuple[int, ...]
    sample_retired: bool


def start_build(
    connection: Connection,
    declarations: Sequence[Published],
    *,
    full: bool,
    minor_digits: int,
    requested_by: str,
    dagster_run_id: str | None = None,
    refresh_id: str | None = None,
) -> Build | None:
    """Fix the list of batches and make the candidate schema anew, in one transaction.

    The caller holds the refresh lock. ``minor_digits`` are those of the currency's minor unit, to which
    a refund is spread over the lines of its order.

    Returns:
        The build, or None when there is nothing to build.
    """
    with connection.transaction():
        close_interrupted_builds(connection)
        sample_retired = _retire_sample(connection, requested_by)
        pending = _batch_ids(connection, PENDING + " order by batch_id")
        # What was published by other models can only be made anew, and so can the numbers after a batch was
        # taken back or given more rows: what it hid or hides now may be of any age.
        restated = is_restated(connection)
        full = full or restated or _models_changed(connection)
        if not pending and not full:
            return None
        make_tables(connection, declarations)
        is_full = full or _is_large(connection, pending)
        if is_full:
            pending = _batch_ids(
                connection, "select batch_id from raw.batches where status = 'landed' order by batch_id"
            )
        if not pending and not restated:
            return None
        build_id = _record(connection, is_full, requested_by, dagster_run_id)
        _make_candidate(connection, build_id, is_full, minor_digits, pending)
        connection.execute(
            """
            update app.jobs set batches_fixed_at = now(), build_id = %s
            where job_id = %s
            """,
            (build_id, refresh_id),
        )
    if is_full:
        # Rows that were copied in a moment ago are news to the planner.
        connection.execute(
            """
            analyze raw.order_lines, raw.products, raw.customers, raw.quarantine, raw.deleted_lines,
                raw.unit_costs, raw.refunds, raw.stores, raw.product_records, raw.customer_records
            """
        )
    return Build(build_id, is_full, tuple(pending), sample_retired)


def close_interrupted_builds(connection: Connection) -> None:
    """Mark the builds that a crash left ``running`` as failed; they changed nothing.

    Their dbt may still be at work in the database: its backends are ended first.
    """
    connection.execute(
        """
        select pg_terminate_backend(pid, 10000) from pg_stat_activity
        where application_name = %s and datname = current_database() and usename = current_user
        """,
        (DBT_APPLICATION,),
    )
    connection.execute(
        """
        update core.builds
        set status = 'failed', finished_at = now(),
            message = 'The process ended before the build was published; nothing was changed.'
        where status = 'running'
        """
    )


def _retire_sample(connection: Connection, requested_by: str) -> bool:
    """Empty the sample's source in the build that brings the first data of one's own.

    An overwrite without rows does it, so that it is on record like any other delivery.
    """
    due = connection.execute(
        """
        select
            exists (
                select 1 from raw.batches
                where status = 'landed' and source <> %(sample)s and feed = 'order_lines'
            )
            and not exists (
                select 1 from core.build_batches
                inner join core.builds using (build_id)
                inner join raw.batches using (batch_id)
                where
                    builds.status = 'published'
                    and batches.source <> %(sample)s
                    and batches.feed = 'order_lines'
            )
            and coalesce((
                select rows_accepted > 0 from raw.batches
                where status = 'landed' and source = %(sample)s
                order by batch_id desc
                limit 1
            ), false)
        """,
        {"sample": SAMPLE_SOURCE},
    ).fetchone()
    if not due or not due[0]:
        return False
    connection.execute(
        """
        insert into raw.batches (
            batch_id, call_id, source, mode, status, file_name, message, requested_by, finished_at
        )
        select
            batch_id, batch_id, %s, 'overwrite', 'landed', '(no file)', %s, %s, now()
        from (select nextval('raw.batch_ids') as batch_id) as next
        """,
        (SAMPLE_SOURCE, SAMPLE_LEAVES, requested_by),
    )
    return True


def _models_changed(connection: Connection) -> bool:
    """Whether the dbt project is another than the one that made what is published."""
    row = connection.execute(
        """
        select project_hash is distinct from %s from core.builds
        where status = 'published'
        order by build_id desc
        limit 1
        """,
        (project_hash(),),
    ).fetchone()
    return row is not None and bool(row[0])


def _is_large(connection: Connection, pending: Sequence[int]) -> bool:
    """Whether the pending batches bring more than a quarter of what is published.

    Above that, computing everything is cheaper than computing the change. An overwrite counts
    only with the rows by which it outgrows its source: the rest is compared, and mostly equal.
    """
    row = connection.execute(
        """
        with

        published as (
            select source, sum(line_count) as line_count
            from marts.revenue_daily
            group by source
        ),

        incoming as (
            select
                batches.source,
                coalesce(
                    sum(rows_accepted - rows_unchanged) filter (where mode = 'append' or is_compared), 0
                ) as appended,
                coalesce(
                    sum(rows_accepted) filter (where mode = 'overwrite' and not is_compared), 0
                ) as overwritten
            from raw.batches
            where batch_id = any(%s) and feed = 'order_lines'
            group by batches.source
        )

        select
            coalesce(sum(
                incoming.appended
                + greatest(0, incoming.overwritten - coalesce(published.line_count, 0))
            ), 0),
            coalesce((select sum(line_count) from published), 0)
        from incoming
        left join published using (source)
        """,
        (list(pending),),
    ).fetchone()
    assert row is not None
    incoming, published = row
    return bool(incoming * 4 > published)


def _record(connection: Connection, is_full: bool, requested_by: str, run_id: str | None) -> int:
    row = connection.execute(
        """
        insert into core.builds (
            status, is_full, project_hash, requested_by, dagster_run_id, last_event_id
        )
        values (
            'running', %s, %s, %s, %s, (select coalesce(max(event_id), 0) from raw.batch_events)
        )
        returning build_id
        """,
        (is_full, project_hash(), requested_by, run_id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def _make_candidate(
    connection: Connection, build_id: int, is_full: bool, minor_digits: int, batch_ids: Sequence[int]
) -> None:
    connection.execute("drop schema if exists candidate cascade")
    connection.execute("create schema candidate")
    connection.execute(
        """
        create table candidate.build (
            build_id bigint not null, is_full boolean not null, minor_digits integer not null
        )
        """
    )
    connection.execute("insert into candidate.build values (%s, %s, %s)", (build_id, is_full, minor_digits))
    connection.execute(
        """
        create table candidate.build_batches (
            batch_id bigint primary key,
            call_id bigint not null,
            source text not null,
            mode text not null,
            -- Overwrites of the source that ended before this batch; and those that had begun,
            -- its own among them.
            overwrites_before bigint not null,
            overwrites_begun bigint not null
        )
        """
    )
    connection.execute(
        """
        insert into candidate.build_batches
        with

        taken as (
            select
                batch_id, call_id, source,
                -- A full delivery that landed as what it changes says by itself what it deletes.
                case when is_compared then 'append' else mode end as mode
            from raw.batches
            where batch_id = any(%(batches)s)
        )

        select
            batch_id, call_id, source, mode,
            begun.overwrites - (mode = 'overwrite')::integer, begun.overwrites
        from taken
        cross join lateral (
            select count(distinct call_id) as overwrites
            from taken as other
            where
                other.mode = 'overwrite'
                and other.source = taken.source
                and other.batch_id <= taken.batch_id
        ) as begun
        """,
        {"batches": list(batch_ids)},
    )
    connection.execute("analyze candidate.build_batches")
    # A full build takes every batch in again; on record is the build that did so first.
    connection.execute(
        """
        insert into core.build_batches (build_id, batch_id)
        select %s, taken.batch_id
        from candidate.build_batches as taken
        where not exists (
            select 1 from core.build_batches
            inner join core.builds using (build_id)
            where build_batches.batch_id = taken.batch_id and builds.status = 'published'
        )
        """,
        (build_id,),
    )


def _batch_ids(connection: Connection, query: str) -> list[int]:
    return [row[0] for row in connection.execute(query).fetchall()]
