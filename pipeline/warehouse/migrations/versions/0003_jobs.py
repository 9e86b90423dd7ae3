"""Refreshes, imports and exports are jobs of one shape."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    "alter table app.refreshes rename to jobs",
    "alter table app.jobs rename column refresh_id to job_id",
    "alter index app.refreshes_by_time rename to jobs_by_time",
    "alter index app.refreshes_in_flight rename to jobs_in_flight",
    # `import` and `refresh` hold the refresh lock; `check` is the dry run of an import. What was
    # asked is in `request`, what came of it, file by file, in `result`.
    """
    alter table app.jobs
        add column kind text not null default 'refresh'
            check (kind in ('refresh', 'import', 'check', 'export')),
        add column request jsonb not null default '{}',
        add column result jsonb not null default '{}',
        add column principal_id uuid,
        add column request_id uuid
    """,
    "update app.jobs set request = jsonb_build_object('full', is_full, 'mode', mode, 'sources', sources)",
    "alter table app.jobs drop column is_full, drop column mode, drop column sources",
    "alter table app.jobs alter column kind drop default",
    # A key is unique per caller; the only user of a laptop is the caller null.
    """
    create table app.idempotency_keys (
        principal_id uuid,
        idempotency_key text not null,
        request_hash text not null,
        job_id uuid not null references app.jobs,
        created_at timestamptz not null default now(),
        unique nulls not distinct (principal_id, idempotency_key)
    )
    """,
    # A dry run leaves nothing in raw; its rejected rows are kept here for a while.
    """
    create table app.import_rejects (
        job_id uuid not null references app.jobs,
        file_number integer not null,
        row_number integer not null,
        reasons text[] not null,
        raw_text text not null,
        primary key (job_id, file_number, row_number)
    )
    """,
    # The reader may see rejected rows; each route that shows them asks for the right to write data.
    """
    create view core.quarantine as
    select batch_id, row_number, reasons, raw_text
    from raw.quarantine
    """,
)


def upgrade() -> None:
    """Turn the refreshes into jobs."""
    for statement in STATEMENTS:
        op.execute(statement)
