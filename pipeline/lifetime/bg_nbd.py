"""BG/NBD: how often a customer buys again, and whether at all.

While a customer is alive, purchases are Poisson with a rate λ of its own; after each repeat
purchase the customer leaves for ever with a probability p of its own. λ ~ Gamma(r, α), p ~ Beta(a, b).

Fader, Hardie and Lee (2005): "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model. Marketing Science 24(2). Its symbols: x repeat purchases until the end of the
observation, t_x the age at the last of them, T the age at the end; ages count from the first
purchase. Time is in weeks.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from pipeline.lifetime.arrays import Counts, Floats
from pipeline.lifetime.errors import LifetimeError
from pipeline.lifetime.maximum import limits_of, maximum_of_many, sample_of

NAMES = ("r", "alpha", "a", "b")
# Four parameters cannot be told from fewer customers who came back.
LEAST_REPEAT_CUSTOMERS = 10

# Where 1 + this is 1, for sums of six good digits.
_NEGLIGIBLE = 1e-13


@dataclass(frozen=True)
class BgNbd:
    """The fitted parameters; ``alpha`` in weeks. ``limits``: those stopped by the fit's bounds."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    limits: tuple[str, ...] = ()

    def probability_alive(self, x: Counts, t_x: Floats, T: Floats) -> Floats:
        """P(alive at T | x, t_x, T): one minus the posterior weight of having left at t_x."""
        with np.errstate(over="ignore"):
            odds_of_left = np.where(
                x > 0,
                np.exp(
                    np.log(self.a)
                    - np.log(self.b + np.maximum(x, 1) - 1)
                    + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
                ),
                0.0,
            )
        return 1 / (1 + odds_of_left)

    def expected_purchases(self, weeks: Floats | float, x: Counts, t_x: Floats, T: Floats) -> Floats:
        """E[purchases in (T, T + weeks] | x, t_x, T] of each customer."""
        return self.probability_alive(x, t_x, T) * self._purchases_if_alive(weeks, x, T)

    def expected_purchases_of_new(self, weeks: Floats | float) -> Floats:
        """E[X(weeks)]: repeat purchases of a customer in its first ``weeks``."""
        span = np.atleast_1d(np.asarray(weeks, dtype=np.float64))
        return self._purchases_if_alive(span, np.zeros(span.size, dtype=np.int64), np.zeros(span.size))

    def _purchases_if_alive(self, weeks: Floats | float, x: Counts, T: Floats) -> Floats:
        """The mean of (1 − ((α+T) / (α+T+p·t))^(r+x)) / p over p ~ Beta(a, b+x).

        This is the paper's Gaussian hypergeometric expression before it is integrated over p.
        In that form it stays exact where ₂F₁ overflows or cancels: large x, a near 1, large b.
        """
        reach = np.broadcast_to(np.asarray(weeks / (self.alpha + T), dtype=np.float64), x.shape)
        found = np.empty(x.shape)
        for repeats in np.unique(x):
            rows = np.flatnonzero(x == repeats)
            power = self.r + float(repeats)
            reaches, index = np.unique(reach[rows], return_inverse=True)
            p, weight = _beta_rule(self.a, self.b + float(repeats), float(reaches[-1]) * (power + 1))
            means = [np.sum(weight * _purchases_at(p, power, part)) for part in reaches]
            found[rows] = np.asarray(means)[index]
        return found


def fit_bg_nbd(x: Counts, t_x: Floats, T: Floats) -> BgNbd:
    """The maximum likelihood parameters of these customers; ages in weeks.

    Raises:
        LifetimeError: too few customers came back, or the likelihood has no maximum.
    """
    repeat_customers = int(np.count_nonzero(x))
    if repeat_customers < LEAST_REPEAT_CUSTOMERS:
        raise LifetimeError(
            f"Only {repeat_customers} customers bought again on a later day; "
            f"the model needs {LEAST_REPEAT_CUSTOMERS}."
        )
    likelihood = Likelihood(x, t_x, T)
    scale = float(np.mean(T))
    rate = float(np.mean(x))
    starts = [(r, scale * r / rate, a, b) for r, a, b in ((0.3, 0.8, 2.5), (1.0, 0.1, 1.0), (3.0, 1.0, 9.0))]
    found = maximum_of_many(
        likelihood,
        Likelihood(*sample_of(x, t_x, T)),
        [np.clip(start, 1e-4, 1e4).tolist() for start in starts],
    )
    value, _ = likelihood(found)
    r, alpha, a, b = map(float, found)
    return BgNbd(r, alpha, a, b, value * x.size, limits_of(found, NAMES))


class Likelihood:
    """The mean log-likelihood of customers, with its derivatives; equal customers are computed once."""

    def __init__(self, x: Counts, t_x: Floats, T: Floats) -> None:
        customers, counts = np.unique(np.stack([x, t_x, T], axis=1), axis=0, return_counts=True)
        repeats, self._t_x, self._T = customers.T
        self._x, self._index = np.unique(repeats, return_inverse=True)
        self._repeats = repeats
        self._weights = counts / x.size

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Equation (6) of the paper, in logarithms: ln A1 + ln A2 + ln(A3 + A4)."""
        gammaln, digamma = scipy.special.gammaln, scipy.special.digamma
        r, alpha, a, b = map(float, parameters)
        x, total = self._x, self._repeats + r
        # What depends on x alone: ln A1 without α, and ln A2.
        of_x = (
            gammaln(r + x) - gammaln(r) + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        )[self._index]
        log_T, log_t_x = np.log(alpha + self._T), np.log(alpha + self._t_x)
        later = np.maximum(self._repeats - 1, 0)
        stayed = -total * log_T
        left = np.where(self._repeats > 0, np.log(a) - np.log(b + later) - total * log_t_x, -np.inf)
        either = np.logaddexp(stayed, left)
        value = float(self._weights @ (of_x + r * np.log(alpha) + either))
        has_left = np.exp(left - either)
        has_stayed = 1 - has_left
        digamma_of_sum = digamma(a + b) - digamma(a + b + x)
        slope = (
            (digamma(r + x) - digamma(r))[self._index]
            + np.log(alpha)
            - has_stayed * log_T
            - has_left * log_t_x,
            r / alpha - total * (has_stayed / (alpha + self._T) + has_left / (alpha + self._t_x)),
            digamma_of_sum[self._index] + has_left / a,
            (digamma_of_sum + digamma(b + x) - digamma(b))[self._index] - has_left / (b + later),
        )
        return value, np.array([float(self._weights @ part) for part in slope])


def _purchases_at(p: Floats, power: float, reach: float) -> Floats:
    """(1 − (1 + p·reach)^−power) / p, whose limit at p = 0 is power·reach."""
    return -np.expm1(-power * np.log1p(p * reach)) / p


def _beta_rule(a: float, b: float, slope: float) -> tuple[Floats, Floats]:
    """Points p and weights by which to average a smooth function over Beta(a, b).

    The trapezoidal rule over s = ln(p / (1 − p)), where it converges exponentially. Beyond the
    last points the function is constant and the density exponential: their sum is known.

    Args:
        a: the density's first shape.
        b: the second.
        slope: how much the function may change, relatively, by a unit of p near 0.
    """
    centre, width = np.log(a / b), np.sqrt(1 / a + 1 / b)
    low = max(-np.log(max(1.0, b, slope) / _NEGLIGIBLE), centre - 9 * width - 40 / a)
    high = min(np.log(max(1.0, a) / _NEGLIGIBLE), centre + 9 * width + 40 / b)
    # The rule's error is e^(−π²/step) for large b, less for small, when the density is not narrow.
    step = min(0.3, width / 1.6)
    s = np.arange(low, high + step, step)
    log_density = -a * np.logaddexp(0, -s) - b * np.logaddexp(0, s)
    weight = np.exp(log_density - log_density.max())
    weight[0] += weight[0] / np.expm1(min(a * step, 700.0))
    weight[-1] += weight[-1] / np.expm1(min(b * step, 700.0))
    return scipy.special.expit(s), weight / weight.sum()
