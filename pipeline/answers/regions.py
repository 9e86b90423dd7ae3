"""The first answer that a new user sees: net revenue by region."""

from pipeline.answers.revenue import RevenueQuestion, answer
from pipeline.answers.snapshots import read_only_snapshot
from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls, connect


def net_revenue_by_region(settings: Settings, urls: DatabaseUrls) -> list[tuple[str, str]]:
    """Each region with its exact net revenue over the whole data, the largest first.

    The amounts are decimals as text, in ``settings.currency``, as the API writes them.

    Raises:
        QueryError: nothing is published yet.
        WarehouseError: Postgres does not answer.
    """
    with connect(urls.reader) as connection:
        read_only_snapshot(connection)
        found = answer(
            connection,
            RevenueQuestion(group_by=("region",)),
            currency=settings.currency,
            time_zone=settings.time_zone,
        )
        return [(row["region"], row["net_revenue"]) for row in found.rows]
