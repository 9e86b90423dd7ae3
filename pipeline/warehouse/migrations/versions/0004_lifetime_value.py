"""What the lifetime value models were fitted to, build by build."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # Parameters are floats by nature. A part that could not be fitted is null, and why is the reason.
    """
    create table core.lifetime_value_fits (
        build_id bigint not null references core.builds,
        calibration_end date not null,
        customers bigint not null,
        repeat_customers bigint not null,
        purchases jsonb,
        value jsonb,
        holdout jsonb,
        reason text,
        fitted_at timestamptz not null default now(),
        primary key (build_id, calibration_end)
    )
    """,
)


def upgrade() -> None:
    """Create the tables of fitted models."""
    for statement in STATEMENTS:
        op.execute(statement)
