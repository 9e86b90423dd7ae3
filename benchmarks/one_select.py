"""``python -m benchmarks.one_select``: the least that an API on this server can do.

A Flask route on the same waitress with the same settings, and as many connections: one select by key,
its row as JSON. The environment is that of ``python -m api``.
"""

from typing import Any

from flask import Flask, Response, jsonify
from psycopg_pool import ConnectionPool

from api.database import POOL_SIZE
from api.server import serve
from pipeline.settings import Settings, get_settings
from pipeline.warehouse.connect import database_urls

_SELECT = "select sale_date, line_count, net_revenue from marts.revenue_anomalies where sale_date = %s"


def create_app(settings: Settings) -> Flask:
    """The route ``/days/…``, and nothing around it."""
    app = Flask("one_select")
    pool = ConnectionPool(
        database_urls(settings).reader,
        min_size=POOL_SIZE,
        max_size=POOL_SIZE,
        open=True,
        kwargs={"autocommit": True},
    )

    @app.get("/days/<day>")
    def get_day(day: str) -> Response:
        with pool.connection() as connection:
            row = connection.execute(_SELECT, (day,)).fetchone()
        assert row is not None
        return jsonify(sale_date=row[0].isoformat(), line_count=row[1], net_revenue=str(row[2]))

    return app


def main() -> None:
    """Serve until a signal comes."""
    settings = get_settings()
    app: Any = create_app(settings)
    serve(app, settings)


if __name__ == "__main__":
    main()
