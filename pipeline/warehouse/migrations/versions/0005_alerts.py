"""Which alerts were given."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # Since when alerts are watched for; what was before is nobody's news.
    """
    create table app.alert_watch (
        is_only boolean primary key default true check (is_only),
        started_at timestamptz not null default now()
    )
    """,
    # One row for each thing that happened; its key keeps it from being told twice.
    """
    create table app.alerts (
        alert_id bigint generated always as identity primary key,
        event_key text not null unique,
        event text not null check (event in ('failed', 'late', 'anomaly', 'refused')),
        title text not null,
        detail text not null,
        build_id bigint,
        refresh_id uuid,
        batch_id bigint,
        data_as_of date,
        raised_at timestamptz not null default now()
    )
    """,
    # Whom it is told to: written with the alert, then delivered until it arrives or is given up.
    """
    create table app.alert_deliveries (
        alert_id bigint not null references app.alerts,
        receiver text not null,
        status text not null default 'pending' check (status in ('pending', 'delivered', 'given_up')),
        attempts integer not null default 0,
        last_error text,
        next_attempt_at timestamptz not null default now(),
        finished_at timestamptz,
        primary key (alert_id, receiver)
    )
    """,
    """
    create index alert_deliveries_pending on app.alert_deliveries (next_attempt_at)
    where status = 'pending'
    """,
)


def upgrade() -> None:
    """Create the table of alerts."""
    for statement in STATEMENTS:
        op.execute(statement)
