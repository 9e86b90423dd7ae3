"""Gamma-Gamma: what a customer's purchases are worth on average.

A customer's purchases are Gamma(p, ν) about a mean of its own; ν ~ Gamma(q, γ). What customers
spend is independent of how often they buy; ``correlation`` says how far that holds.

Fader and Hardie (2013): The Gamma-Gamma Model of Monetary Value. Its symbols: x repeat purchases,
z̄ their mean value. As there, a customer's first purchase does not count.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from pipeline.lifetime.arrays import Counts, Floats
from pipeline.lifetime.errors import LifetimeError
from pipeline.lifetime.maximum import limits_of, maximum_of_many, sample_of

NAMES = ("p", "q", "gamma")
LEAST_CUSTOMERS = 10


@dataclass(frozen=True)
class GammaGamma:
    """The fitted parameters; ``gamma`` in money. ``limits``: those stopped by the fit's bounds.

    ``correlation`` is Pearson's, of x and z̄ over the ``customers`` that were fitted; None where
    one of them is the same for all.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float
    customers: int
    correlation: float | None
    limits: tuple[str, ...] = ()

    def expected_value(self, x: Counts, mean: Floats) -> Floats:
        """E(mean value of a purchase | x, z̄); the population's mean for customers without a value.

        NaN where the fitted distribution has no mean (q ≤ 1, no purchase to go by).
        """
        known = np.where(mean > 0, x, 0)
        below = self.p * known + self.q - 1
        above = self.p * (self.gamma + known * np.where(known > 0, mean, 0.0))
        return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)


def fit_gamma_gamma(x: Counts, mean: Floats) -> GammaGamma:
    """The maximum likelihood parameters, from the customers with repeat purchases and a value above 0.

    Raises:
        LifetimeError: too few such customers, or the likelihood has no maximum.
    """
    is_fitted = (x > 0) & (mean > 0)
    customers = int(np.count_nonzero(is_fitted))
    if customers < LEAST_CUSTOMERS:
        raise LifetimeError(
            f"Only {customers} customers have repeat purchases with a value above 0; "
            f"the model needs {LEAST_CUSTOMERS}."
        )
    repeats = x[is_fitted].astype(np.float64)
    # In units of the mean value, so that the same starts and bounds fit every currency.
    unit = float(np.mean(mean[is_fitted]))
    values = mean[is_fitted] / unit
    likelihood = Likelihood(repeats, values)
    sample = Likelihood(*sample_of(repeats, values))
    found = maximum_of_many(likelihood, sample, [(1.0, 3.0, 2.0), (6.0, 4.0, 0.5), (50.0, 20.0, 0.4)])
    value, _ = likelihood(found)
    p, q, gamma = map(float, found)
    return GammaGamma(
        p=p,
        q=q,
        gamma=gamma * unit,
        log_likelihood=value * customers - customers * float(np.log(unit)),
        customers=customers,
        correlation=_correlation(repeats, values),
        limits=limits_of(found, NAMES),
    )


class Likelihood:
    """The mean log-likelihood of customers, with its derivatives."""

    def __init__(self, x: Floats, mean: Floats) -> None:
        self._x, self._mean = x, mean
        self._log_mean, self._log_x = np.log(mean), np.log(x)

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Equation (1a) of the paper, in logarithms."""
        gammaln, digamma = scipy.special.gammaln, scipy.special.digamma
        p, q, gamma = map(float, parameters)
        px, log_sum = p * self._x, np.log(gamma + self._x * self._mean)
        value = (
            gammaln(px + q)
            - gammaln(px)
            - gammaln(q)
            + q * np.log(gamma)
            + (px - 1) * self._log_mean
            + px * self._log_x
            - (px + q) * log_sum
        )
        slope = (
            self._x * (digamma(px + q) - digamma(px) + self._log_mean + self._log_x - log_sum),
            digamma(px + q) - digamma(q) + np.log(gamma) - log_sum,
            q / gamma - (px + q) / (gamma + self._x * self._mean),
        )
        return float(np.mean(value)), np.array([float(np.mean(part)) for part in slope])


def _correlation(x: Floats, mean: Floats) -> float | None:
    if np.ptp(x) == 0 or np.ptp(mean) == 0:
        return None
    return float(np.corrcoef(x, mean)[0, 1])
