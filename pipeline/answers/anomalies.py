"""Days whose revenue is far from what their weekday and season suggest."""

from dataclasses import dataclass
from datetime import date

from psycopg import Connection
from psycopg.rows import dict_row

from pipeline.answers import envelope, numbers
from pipeline.answers.answer import Answer, fetched, fingerprint, offset_of, paged
from pipeline.answers.builds import current_build
from pipeline.answers.dates import effective_range
from pipeline.answers.revenue import data_range


@dataclass(frozen=True)
class AnomaliesQuestion:
    """Over which dates (inclusive, None takes the data's), and whether ordinary days come along."""

    start: date | None = None
    end: date | None = None
    every_day: bool = False
    limit: int | None = None
    cursor: str | None = None


def anomalies(
    connection: Connection, question: AnomaliesQuestion, *, currency: str, time_zone: str
) -> Answer:  # fmt: skip
    """The days in order of time, each with what was expected; null where too few days are alike.

    Raises:
        QueryError: the question cannot be answered.
    """
    build = current_build(connection)
    span = effective_range(question.start, question.end, data_range(connection, build))
    mark = fingerprint(question.start, question.end, question.every_day)
    offset = offset_of(question.cursor, build, mark)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            select sale_date, weekday, net_revenue, expected, spread, score, is_anomaly
            from marts.revenue_anomalies
            where
                sale_date between %(start)s and %(end)s
                and (is_anomaly or %(every_day)s)
            order by sale_date
            limit %(limit)s offset %(offset)s
            """,
            {
                "start": span.start if span else None,
                "end": span.end if span else None,
                "every_day": question.every_day,
                "limit": fetched(question.limit),
                "offset": offset,
            },
        ).fetchall()
    digits = numbers.minor_digits(currency)
    for row in rows:
        row["sale_date"] = row["sale_date"].isoformat()
        for name in ("net_revenue", "expected", "spread"):
            row[name] = None if row[name] is None else numbers.money(row[name], digits)
        row["score"] = None if row["score"] is None else numbers.half_up(row["score"], numbers.RATIO_DIGITS)
    page, cursor_after = paged(rows, question.limit, build, offset, mark)
    return Answer(page, envelope.meta(build, span, currency, time_zone), cursor_after)
