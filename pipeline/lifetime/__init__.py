"""Customer lifetime value: how often customers will buy again, and for how much.

Purchases follow BG/NBD (Fader, Hardie and Lee 2005), their value Gamma-Gamma (Fader and Hardie
2013). Nothing here knows Dagster, dbt or the API; the last two ask it for the same answers.
"""

from pipeline.lifetime.errors import LifetimeError
from pipeline.lifetime.histories import Histories, read_histories
from pipeline.lifetime.model import Model, fit_model
from pipeline.lifetime.predictions import Predictions, predict

__all__ = ["Histories", "LifetimeError", "Model", "Predictions", "fit_model", "predict", "read_histories"]
