"""What each customer is expected to do after the calibration end."""

from dataclasses import dataclass

import numpy as np

from pipeline.lifetime.arrays import Floats
from pipeline.lifetime.histories import Histories
from pipeline.lifetime.model import Model


@dataclass(frozen=True)
class Predictions:
    """One entry per customer of the histories; NaN where the model has no answer.

    Attributes:
        purchases: expected purchases in the horizon.
        probability_alive: that the customer has not left for ever, at the calibration end.
        mean_value: expected net revenue of one purchase.
        value: expected net revenue in the horizon, not discounted.
    """

    purchases: Floats
    probability_alive: Floats
    mean_value: Floats
    value: Floats


def predict(model: Model, histories: Histories, horizon_weeks: float) -> Predictions:
    """Predict the ``horizon_weeks`` after the calibration end; ``histories`` reach until there."""
    unknown = np.full(len(histories.customer_ids), np.nan)
    purchases = alive = mean_value = unknown
    if model.purchases is not None:
        state = histories.x, histories.t_x, histories.T
        purchases = model.purchases.expected_purchases(horizon_weeks, *state)
        alive = model.purchases.probability_alive(*state)
    if model.value is not None:
        mean_value = model.value.expected_value(histories.x, histories.mean)
    return Predictions(purchases, alive, mean_value, purchases * mean_value)
