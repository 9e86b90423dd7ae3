"""The raw tables of the feeds besides order lines, and the store of a line."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = (
    # A landing asks for it before the next build brings it.
    "alter table if exists core.fct_order_lines add column if not exists refund_id text",
    # Without a day the cost is valid always.
    """
    create table raw.unit_costs (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        product_id text not null,
        cost numeric(18, 6) not null,
        valid_from date,
        extra jsonb,
        primary key (batch_id, row_number)
    )
    """,
    # source: the one that numbered the order, when it is another than the batch's.
    """
    create table raw.refunds (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        refund_id text not null,
        source text,
        order_id text not null,
        product_id text,
        amount numeric(18, 6),
        quantity integer,
        refund_date date not null,
        reason text,
        extra jsonb,
        primary key (batch_id, row_number),
        check (num_nonnulls(amount, quantity) = 1)
    )
    """,
    """
    create table raw.stores (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        store_id text not null,
        city text,
        region text,
        address text,
        extra jsonb,
        primary key (batch_id, row_number)
    )
    """,
    """
    create table raw.product_records (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        product_id text not null,
        name text,
        category text,
        list_price numeric(18, 6),
        unit_cost numeric(18, 6),
        description text,
        extra jsonb,
        primary key (batch_id, row_number)
    )
    """,
    """
    create table raw.customer_records (
        batch_id bigint not null references raw.batches,
        row_number integer not null,
        customer_id text not null,
        name text,
        email text,
        address text,
        extra jsonb,
        primary key (batch_id, row_number)
    )
    """,
    "alter table raw.order_lines add column store_id text",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
