"""Both models of one set of customers, and how well they foretold what came after."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from pipeline.lifetime.errors import LifetimeError
from pipeline.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from pipeline.lifetime.histories import DAYS_OF_A_WEEK, Histories


@dataclass(frozen=True)
class Holdout:
    """Purchases after the calibration end, foretold and real, of the customers known by then.

    The errors are per customer, in purchases.
    """

    end_date: date
    customers: int
    predicted_purchases: float
    actual_purchases: int
    mean_absolute_error: float
    root_mean_squared_error: float

    @property
    def relative_error(self) -> float | None:
        """By how much the total was foretold too high; None when nobody bought."""
        return self.predicted_purchases / self.actual_purchases - 1 if self.actual_purchases else None


@dataclass(frozen=True)
class Model:
    """What was fitted to the purchases until ``calibration_end``; ``reason`` says why a part is missing."""

    calibration_end: date
    customers: int
    repeat_customers: int
    purchases: BgNbd | None
    value: GammaGamma | None
    holdout: Holdout | None
    reason: str | None


def fit_model(histories: Histories, until: date) -> Model:
    """Fit both models, and compare with the purchases from the histories' end to ``until``."""
    purchases: BgNbd | None = None
    value: GammaGamma | None = None
    reason: str | None = None
    try:
        purchases = fit_bg_nbd(histories.x, histories.t_x, histories.T)
        value = fit_gamma_gamma(histories.x, histories.mean)
    except LifetimeError as error:
        reason = str(error)
    return Model(
        calibration_end=histories.end,
        customers=len(histories.customer_ids),
        repeat_customers=int(np.count_nonzero(histories.x)),
        purchases=purchases,
        value=value,
        holdout=_holdout(purchases, histories, until) if purchases and until > histories.end else None,
        reason=reason,
    )


def _holdout(model: BgNbd, histories: Histories, until: date) -> Holdout:
    weeks = (until - histories.end).days / DAYS_OF_A_WEEK
    predicted = model.expected_purchases(weeks, histories.x, histories.t_x, histories.T)
    error = predicted - histories.later
    return Holdout(
        end_date=until,
        customers=len(histories.customer_ids),
        predicted_purchases=float(predicted.sum()),
        actual_purchases=int(histories.later.sum()),
        mean_absolute_error=float(np.mean(np.abs(error))),
        root_mean_squared_error=float(np.sqrt(np.mean(error**2))),
    )
