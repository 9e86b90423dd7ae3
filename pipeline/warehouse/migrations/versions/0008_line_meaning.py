"""What a line means: its line id, discounts as amounts, tax, an order's shipping; a batch's headers."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # All as the file states them, and null where it does not: the build computes with them.
    """
    alter table raw.order_lines
        add column line_id text,
        add column discount_amount numeric(38, 6),
        add column order_shipping numeric(18, 6),
        add column tax numeric(18, 6),
        add column tax_rate numeric(7, 6),
        add column prices_include_tax boolean not null default false
    """,
    "alter table raw.quarantine add column line_id text",
    # The file's headers, each with the column of ours that it named, if any; null before they were kept.
    "alter table raw.batches add column headers jsonb",
)


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
