"""Full deliveries that land as what they change, batches taken back, and closed months."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A delivery that is the source's whole truth, of which only what it changes is in raw.
    """
    alter table raw.batches
        add column is_compared boolean not null default false,
        add column rows_unchanged bigint not null default 0
    """,
    # The lines that were there and that such a delivery lacks.
    """
    create table raw.deleted_lines (
        batch_id bigint not null references raw.batches,
        order_id text not null,
        line_key text not null,
        primary key (batch_id, order_id, line_key)
    )
    """,
    # What was done to a batch after it had landed; the next build takes it into the numbers.
    """
    create table raw.batch_events (
        event_id bigint generated always as identity primary key,
        batch_id bigint not null references raw.batches,
        event text not null check (event in ('voided', 'restored', 'replayed')),
        rows bigint not null,
        requested_by text not null,
        job_id uuid,
        at timestamptz not null default clock_timestamp()
    )
    """,
    # What rows were rejected for that a replay brought in.
    """
    create table raw.replayed_rows (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        reasons text[] not null,
        raw_text text not null,
        at timestamptz not null default now(),
        primary key (batch_id, row_number)
    )
    """,
    "alter table core.builds add column last_event_id bigint not null default 0",
    """
    create table raw.closed_months (
        month date primary key check (month = date_trunc('month', month)::date),
        closed_by text not null,
        closed_at timestamptz not null default now()
    )
    """,
    """
    create or replace view core.batches as
    select
        batch_id, call_id, feed, source, mode, options, status, file_name, size_bytes, sha256,
        rows_read, rows_accepted, rows_quarantined, reasons, message,
        first_sale_date, last_sale_date, requested_by, dagster_run_id, started_at, finished_at,
        (
            select min(build_batches.build_id)
            from core.build_batches
            inner join core.builds using (build_id)
            where build_batches.batch_id = batches.batch_id and builds.status = 'published'
        ) as build_id,
        rows_unchanged
    from raw.batches
    """,
)


def upgrade() -> None:
    """Create what full deliveries, voids and closed months need."""
    for statement in STATEMENTS:
        op.execute(statement)
