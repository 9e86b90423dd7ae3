"""What revenue can be grouped and filtered by."""

from dataclasses import dataclass
from typing import Literal, get_args

from psycopg import sql

GroupName = Literal["product", "category", "region", "payment_method", "customer", "source"]
GROUPS: tuple[str, ...] = get_args(GroupName)
FILTERS = ("product_id", "category", "region", "payment_method", "customer_id", "source")


@dataclass(frozen=True)
class Dimension:
    """A dimension: the column that identifies it and, when it has names, where the current one is."""

    group: str
    column: str
    name: sql.Composable | None = None
    name_join: sql.Composable | None = None


def dimension_of(group: str) -> Dimension:
    """The dimension that a group names: one of ours, or a column of the files (``extra.NAME``)."""
    return DIMENSIONS.get(group) or Dimension(group, group)


DIMENSIONS = {
    dimension.group: dimension
    for dimension in (
        Dimension(
            "product",
            "product_id",
            sql.SQL("named_product.current_name"),
            sql.SQL(
                "left join core.dim_product as named_product"
                " on named_product.product_id = page.product_id and named_product.is_current"
            ),
        ),
        Dimension("category", "category"),
        Dimension("region", "region"),
        Dimension("payment_method", "payment_method"),
        Dimension(
            "customer",
            "customer_id",
            sql.SQL("named_customer.customer_name"),
            sql.SQL(
                "left join core.dim_customer as named_customer"
                " on named_customer.customer_id = page.customer_id"
            ),
        ),
        Dimension("source", "source"),
    )
}
