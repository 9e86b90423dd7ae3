"""Raw tables keep the indexes and checks that something needs: the others took a third of a COPY's time."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # Lines are read by batch, and lie side by side. That none is there twice is what every build counts.
    "alter table raw.order_lines drop constraint order_lines_pkey",
    """
    create index order_lines_by_batch on raw.order_lines using brin (batch_id) with (autosummarize = on)
    """,
    # Batches stay for ever, and landing writes none but its own.
    "alter table raw.products drop constraint products_batch_id_fkey",
    "alter table raw.customers drop constraint customers_batch_id_fkey",
    # The key alone finds a customer's version: one index serves both.
    "drop index raw.customers_by_key",
    "alter table raw.customers drop constraint customers_pkey, add primary key (customer_key, batch_id)",
)


def upgrade() -> None:
    """Drop what costs more than it gives."""
    for statement in STATEMENTS:
        op.execute(statement)
