"""What readers ask of products and customers before the next build fills it."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The rest of the published tables comes with the first build, from the models' contracts.
STATEMENTS: tuple[str, ...] = (
    "alter table if exists core.dim_product add column if not exists own_category text",
    """
    create table core.dim_product_record (
        product_id text not null,
        product_name text,
        category text,
        list_price numeric(18, 6),
        unit_cost numeric(18, 6),
        description text,
        extra jsonb,
        batch_id bigint not null,
        row_number integer not null
    )
    """,
    """
    create table core.dim_customer_record (
        customer_id text not null,
        customer_name text,
        customer_email text,
        customer_address text,
        extra jsonb,
        batch_id bigint not null,
        row_number integer not null
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
