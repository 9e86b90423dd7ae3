"""Maximum likelihood over positive parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy

from pipeline.lifetime.arrays import Floats
from pipeline.lifetime.errors import LifetimeError

# Parameters stay between 1/22,026 and 22,026 of their unit: beyond, the likelihood is flat, for
# customers who differ by less than a hundredth are alike.
LOG_LIMIT = 10.0
# The steepest slope, per customer and unit of a parameter's logarithm, that counts as the top.
FLAT = 1e-5

# Customers are enough to tell which start is best.
SAMPLE = 5_000

# Parameters → the mean log-likelihood of a customer, and its derivatives by the parameters.
MeanLogLikelihood = Callable[[Floats], tuple[float, Floats]]


def maximum(likelihood: MeanLogLikelihood, starts: Sequence[Sequence[float]]) -> Floats:
    """The parameters of the greatest likelihood; the best of what is reached from each start.

    Raises:
        LifetimeError: no start leads to a maximum.
    """

    def cost(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, slope = likelihood(parameters)
        return -value, -slope * parameters

    best: tuple[float, Floats] | None = None
    for start in starts:
        found = scipy.optimize.minimize(
            cost,
            np.log(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LOG_LIMIT, LOG_LIMIT)] * len(start),
            options={"maxiter": 2_000, "maxfun": 5_000, "ftol": 1e-15, "gtol": 1e-9},
        )
        is_top = np.isfinite(found.fun) and _steepness(found.x, found.jac) < FLAT
        if is_top and (best is None or found.fun < best[0]):
            best = float(found.fun), found.x
    if best is None:
        raise LifetimeError("The likelihood of these purchases has no maximum that could be found.")
    return np.exp(best[1])


def maximum_of_many(
    likelihood: MeanLogLikelihood, sample: MeanLogLikelihood, starts: Sequence[Sequence[float]]
) -> Floats:
    """The same for a dear likelihood: that of a sample of the customers leads near the top.

    Raises:
        LifetimeError: no start leads to a maximum.
    """
    try:
        return maximum(likelihood, [maximum(sample, starts).tolist()])
    except LifetimeError:
        return maximum(likelihood, starts)


def sample_of(*columns: Any) -> tuple[Any, ...]:
    """The columns of at most ``SAMPLE`` customers, evenly from all when put in order."""
    step = -(-columns[0].size // SAMPLE)
    chosen = np.lexsort(columns[::-1])[::step]
    return tuple(column[chosen] for column in columns)


def limits_of(parameters: Floats, names: Sequence[str]) -> tuple[str, ...]:
    """The parameters that were stopped by their limit: the data would have them go on for ever."""
    is_at_limit = np.abs(np.log(parameters)) > LOG_LIMIT - 1e-6
    return tuple(name for name, stopped in zip(names, is_at_limit, strict=True) if stopped)


def _steepness(logs: Floats, slope: Floats) -> float:
    """The steepest slope of the cost that still has somewhere to go."""
    is_stopped = ((logs >= LOG_LIMIT) & (slope < 0)) | ((logs <= -LOG_LIMIT) & (slope > 0))
    return float(np.max(np.abs(np.where(is_stopped, 0.0, slope))))
