"""The days of a build whose revenue is far from what was to be expected."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg import Connection
from psycopg.rows import class_row

NEWEST_DAYS = 14


@dataclass(frozen=True)
class Anomaly:
    """One day, in the warehouse's currency; ``score`` is its modified z-score."""

    sale_date: date
    net_revenue: Decimal
    expected: Decimal
    score: Decimal


def anomalies_of_build(connection: Connection, build_id: int) -> list[Anomaly]:
    """The anomalies among the newest days of the data that a published build changed.

    Older days are left out: a correction of last year's is no news of how the shop does.
    """
    with connection.cursor(row_factory=class_row(Anomaly)) as cursor:
        return cursor.execute(
            """
            select days.sale_date, days.net_revenue, days.expected, days.score
            from marts.revenue_anomalies as days
            inner join core.builds on builds.build_id = %(build_id)s
            where
                days.is_anomaly
                and days.sale_date > builds.data_as_of - %(newest_days)s::integer
                and exists (
                    select 1 from core.build_changes as changes
                    where changes.build_id = builds.build_id and changes.sale_date = days.sale_date
                )
            order by days.sale_date
            """,
            {"build_id": build_id, "newest_days": NEWEST_DAYS},
        ).fetchall()
