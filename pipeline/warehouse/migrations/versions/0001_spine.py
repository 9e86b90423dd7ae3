"""The raw tables, the record of builds, and the service's own tables.

``core`` and ``marts`` are empty schemas here: their tables are made from the dbt models'
contracts when a build is published.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    "create schema raw",
    "create schema core",
    "create schema marts",
    "create schema app",
    # One delivery to a feed. Ids are given out under the refresh lock, so "newer" means the
    # same in every build. call_id binds the files of one call.
    """
    create table raw.batches (
        batch_id bigint primary key,
        call_id bigint not null,
        feed text not null default 'order_lines',
        source text not null,
        mode text not null check (mode in ('append', 'overwrite')),
        options jsonb not null default '{}',
        status text not null
            check (status in ('running', 'landed', 'skipped', 'refused', 'failed', 'voided')),
        file_name text not null,
        size_bytes bigint,
        sha256 text,
        rows_read bigint not null default 0,
        rows_accepted bigint not null default 0,
        rows_quarantined bigint not null default 0,
        reasons jsonb not null default '{}',
        message text,
        first_sale_date date,
        last_sale_date date,
        requested_by text not null,
        dagster_run_id text,
        started_at timestamptz not null default now(),
        finished_at timestamptz
    )
    """,
    "create index batches_by_source on raw.batches (source, batch_id desc)",
    "create sequence raw.batch_ids as bigint",
    # Text that repeats on every line is stored once a batch, in raw.products and
    # raw.customers; a line carries their keys. No foreign key to raw.batches here: checking it
    # for each row makes landing cost Postgres more than twice the time, and batches stay for ever.
    """
    create table raw.order_lines (
        batch_id bigint not null,
        row_number integer not null,
        occurrence integer not null,
        sale_date date not null,
        quantity integer not null,
        product_key bigint not null,
        customer_key bigint,
        order_id text not null,
        product_id text not null,
        customer_id text,
        region text not null,
        payment_method text not null,
        unit_price numeric(18, 6) not null,
        discount numeric(7, 6) not null,
        shipping numeric(18, 6) not null,
        unit_cost numeric(18, 6),
        extra jsonb,
        primary key (batch_id, row_number)
    )
    """,
    """
    create table raw.products (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        product_key bigint not null,
        product_id text not null,
        product_name text,
        category text not null,
        primary key (batch_id, product_key)
    )
    """,
    """
    create table raw.customers (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        customer_key bigint not null,
        customer_id text not null,
        customer_name text,
        customer_email text,
        customer_address text,
        primary key (batch_id, customer_key)
    )
    """,
    "create index customers_by_key on raw.customers (customer_key)",
    # order_id, product_id and occurrence are there when the row's key could be read.
    """
    create table raw.quarantine (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        reasons text[] not null check (cardinality(reasons) > 0),
        raw_text text not null,
        order_id text,
        product_id text,
        occurrence integer,
        primary key (batch_id, row_number)
    )
    """,
    """
    create table core.builds (
        build_id bigint generated always as identity primary key,
        status text not null check (status in ('running', 'published', 'failed')),
        is_full boolean not null,
        project_hash text,
        data_as_of date,
        started_at timestamptz not null default now(),
        built_at timestamptz,
        finished_at timestamptz,
        lines_added bigint,
        lines_removed bigint,
        rows_changed jsonb not null default '{}',
        net_revenue_before numeric(38, 12),
        net_revenue_after numeric(38, 12),
        seconds jsonb not null default '{}',
        failed_checks jsonb not null default '[]',
        message text,
        requested_by text not null,
        dagster_run_id text
    )
    """,
    "create index builds_published on core.builds (build_id desc) where status = 'published'",
    """
    create table core.build_batches (
        build_id bigint not null references core.builds,
        batch_id bigint not null references raw.batches,
        primary key (build_id, batch_id)
    )
    """,
    # What a published build changed, signed: by day and, in a delta, by the delivery that did it.
    """
    create table core.build_changes (
        build_id bigint not null references core.builds,
        sale_date date not null,
        batch_id bigint references raw.batches,
        lines_added bigint not null,
        lines_removed bigint not null,
        gross_revenue numeric(38, 12) not null,
        discounts numeric(38, 12) not null,
        returns numeric(38, 12) not null,
        net_revenue numeric(38, 12) not null,
        shipping numeric(38, 12) not null,
        units bigint not null,
        units_returned bigint not null,
        unique nulls not distinct (build_id, sale_date, batch_id)
    )
    """,
    "create index build_batches_by_batch on core.build_batches (batch_id)",
    # What was asked for, and what became of it. A row is written before Dagster is called.
    """
    create table app.refreshes (
        refresh_id uuid primary key default gen_random_uuid(),
        status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'canceled')),
        requested_by text not null,
        is_full boolean not null default false,
        mode text check (mode in ('append', 'overwrite')),
        sources text[],
        dagster_run_id text unique,
        batches_fixed_at timestamptz,
        build_id bigint,
        counts jsonb not null default '{}',
        problem jsonb,
        message text,
        requested_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz
    )
    """,
    "create index refreshes_by_time on app.refreshes (requested_at desc)",
    "create index refreshes_in_flight on app.refreshes (requested_at) where status in ('queued', 'running')",
    # What the read-only role may see of raw: no customer's text, no raw line.
    """
    create view core.batches as
    select
        batch_id, call_id, feed, source, mode, options, status, file_name, size_bytes, sha256,
        rows_read, rows_accepted, rows_quarantined, reasons, message,
        first_sale_date, last_sale_date, requested_by, dagster_run_id, started_at, finished_at,
        (
            select min(build_batches.build_id)
            from core.build_batches
            inner join core.builds using (build_id)
            where build_batches.batch_id = batches.batch_id and builds.status = 'published'
        ) as build_id
    from raw.batches
    """,
)


def upgrade() -> None:
    """Create every schema and table of the spine."""
    for statement in STATEMENTS:
        op.execute(statement)
