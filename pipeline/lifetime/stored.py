"""The models of a build: fitted after it is published, kept in ``core.lifetime_value_fits``."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from pipeline.lifetime.bg_nbd import BgNbd
from pipeline.lifetime.gamma_gamma import GammaGamma
from pipeline.lifetime.histories import read_histories
from pipeline.lifetime.model import Holdout, Model, fit_model

# The part of the data's span that the hold-out error is measured on.
HOLDOUT_SHARE = 4


def default_calibration_end(connection: Connection, data_as_of: date) -> date:
    """The day before the last quarter of the days from the first order to ``data_as_of``."""
    row = connection.execute("select min(order_date) from marts.customer_orders").fetchone()
    first: date = row[0] if row and row[0] else data_as_of
    return data_as_of - (data_as_of - first) // HOLDOUT_SHARE


def fit_build(connection: Connection, build_id: int, data_as_of: date) -> list[Model]:
    """Fit and keep a build's models: one until the last quarter, one on everything.

    A build that changed no line has the models of the one before.
    """
    kept = read_models(connection, build_id)
    if kept:
        return kept
    ends = sorted({default_calibration_end(connection, data_as_of), data_as_of})
    models = [fit_model(read_histories(connection, end), data_as_of) for end in ends]
    with connection.transaction():
        for model in models:
            _save(connection, build_id, model)
    return models


def read_models(connection: Connection, build_id: int) -> list[Model]:
    """The models kept for a build, or for the last one before it with the same lines; by calibration end."""
    rows = connection.execute(
        """
        select calibration_end, customers, repeat_customers, purchases, value, holdout, reason
        from core.lifetime_value_fits
        where
            build_id = (
                select max(build_id)
                from core.lifetime_value_fits
                where build_id <= %(build_id)s
            )
            and not exists (
                select 1
                from core.build_changes
                where
                    build_changes.build_id > lifetime_value_fits.build_id
                    and build_changes.build_id <= %(build_id)s
            )
        order by calibration_end
        """,
        {"build_id": build_id},
    ).fetchall()
    return list(_models(rows))


def _models(rows: Iterable[tuple[Any, ...]]) -> Iterable[Model]:
    for calibration_end, customers, repeat_customers, purchases, value, holdout, reason in rows:
        yield Model(
            calibration_end=calibration_end,
            customers=customers,
            repeat_customers=repeat_customers,
            purchases=BgNbd(**{**purchases, "limits": tuple(purchases["limits"])}) if purchases else None,
            value=GammaGamma(**{**value, "limits": tuple(value["limits"])}) if value else None,
            holdout=(
                Holdout(**{**holdout, "end_date": date.fromisoformat(holdout["end_date"])})
                if holdout
                else None
            ),
            reason=reason,
        )


def _save(connection: Connection, build_id: int, model: Model) -> None:
    holdout = model.holdout
    written = asdict(holdout) | {"end_date": holdout.end_date.isoformat()} if holdout else None
    connection.execute(
        """
        insert into core.lifetime_value_fits (
            build_id, calibration_end, customers, repeat_customers, purchases, value, holdout, reason
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        (
            build_id,
            model.calibration_end,
            model.customers,
            model.repeat_customers,
            Jsonb(asdict(model.purchases)) if model.purchases else None,
            Jsonb(asdict(model.value)) if model.value else None,
            Jsonb(written) if written else None,
            model.reason,
        ),
    )
