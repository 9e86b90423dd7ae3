"""Products by day are answered from the lines: the rollup that had hardly fewer rows goes."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = ("drop table if exists marts.product_revenue_daily",)


def upgrade() -> None:
    """Drop the rollup of a warehouse that has it."""
    for statement in STATEMENTS:
        op.execute(statement)
