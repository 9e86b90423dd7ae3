"""The feeds besides order lines: what each one's rows must be, and where they go."""

from pipeline.landing.checker import BatchChecker, RowChecker
from pipeline.landing.columns import ColumnMap
from pipeline.landing.feeds.checker import FeedChecker
from pipeline.landing.feeds.contracts import (
    CustomerContract,
    ProductContract,
    RefundContract,
    StoreContract,
    UnitCostContract,
)
from pipeline.landing.feeds.feed import Feed
from pipeline.landing.models import Reporting
from pipeline.sources import ORDER_LINES, SourceSettings

FEEDS = {
    "unit_costs": Feed("unit_costs", UnitCostContract, {"day": "valid_from"}),
    "refunds": Feed("refunds", RefundContract, {"day": "refund_date", "quantity_number": "quantity"}),
    "stores": Feed("stores", StoreContract),
    "products": Feed("product_records", ProductContract),
    "customers": Feed("customer_records", CustomerContract),
}


def tables_of(feed: str) -> tuple[str, ...]:
    """The raw tables that a feed's rows go to, the one with a row for each of them first."""
    return ("order_lines", "products", "customers") if feed == ORDER_LINES else (FEEDS[feed].table,)


def checker_of(columns: ColumnMap, settings: SourceSettings, reporting: Reporting) -> RowChecker:
    """What checks the rows of one file of the settings' feed."""
    if settings.feed == ORDER_LINES:
        return BatchChecker(columns, settings, reporting)
    return FeedChecker(FEEDS[settings.feed], columns, settings, reporting)


__all__ = ["FEEDS", "Feed", "checker_of", "tables_of"]
