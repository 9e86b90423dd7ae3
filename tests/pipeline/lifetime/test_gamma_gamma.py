"""Gamma-Gamma, against its definition and customers made by chance."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from pipeline.lifetime.errors import LifetimeError
from pipeline.lifetime.gamma_gamma import GammaGamma, Likelihood, fit_gamma_gamma
from tests.pipeline.lifetime.simulated import spending

# Fader and Hardie (2013): the parameters of the CDNOW sample.
CDNOW = GammaGamma(p=6.25, q=3.74, gamma=15.44, log_likelihood=0.0, customers=946, correlation=0.11)


@pytest.mark.parametrize(("x", "mean"), [(1, 11.77), (2, 22.35), (14, 80.0)])
def test_the_likelihood_is_the_models_definition_integrated(x: int, mean: float) -> None:
    def density(nu: float) -> float:
        # The mean of x purchases, each Gamma(p, ν), is Gamma(p·x, ν·x).
        spent = gamma(CDNOW.p * x, scale=1 / (nu * x)).pdf(mean)
        return float(spent * gamma(CDNOW.q, scale=1 / CDNOW.gamma).pdf(nu))

    expected = sum(quad(density, low, high, limit=200)[0] for low, high in ((0, 0.1), (0.1, 1), (1, 5)))
    value, _ = Likelihood(np.array([float(x)]), np.array([mean]))(np.array([6.25, 3.74, 15.44]))
    assert np.exp(value) == pytest.approx(expected, rel=1e-6)


def test_the_slope_is_the_likelihoods_change() -> None:
    x = np.array([1.0, 2, 5, 3])
    likelihood = Likelihood(x, np.array([10.0, 30, 22, 5]))
    at = np.array([5.0, 3.0, 12.0])
    _, slope = likelihood(at)
    for index, step in enumerate(np.eye(3) * 1e-6):
        change = (likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-6
        assert slope[index] == pytest.approx(change, rel=1e-5, abs=1e-8)


def test_the_parameters_of_simulated_spending_are_found_again_in_any_currency() -> None:
    x = np.random.default_rng(5).geometric(0.4, 40_000)
    seen, _ = spending(6.25, 3.74, 15.44, x, seed=6)
    found = fit_gamma_gamma(x, seen)
    assert found.p == pytest.approx(6.25, rel=0.05)
    assert found.q == pytest.approx(3.74, rel=0.05)
    assert found.gamma == pytest.approx(15.44, rel=0.05)
    assert found.customers == 40_000
    assert found.correlation == pytest.approx(0, abs=0.02)
    in_yen = fit_gamma_gamma(x, seen * 150)
    assert in_yen.gamma == pytest.approx(found.gamma * 150, rel=1e-3)
    assert in_yen.log_likelihood == pytest.approx(found.log_likelihood - 40_000 * np.log(150), rel=1e-6)


def test_the_reported_likelihood_is_that_of_the_parameters_in_money() -> None:
    x = np.random.default_rng(5).geometric(0.4, 500)
    seen, _ = spending(6.25, 3.74, 15.44, x, seed=6)
    found = fit_gamma_gamma(x, seen)
    value, _ = Likelihood(x.astype(np.float64), seen)(np.array([found.p, found.q, found.gamma]))
    assert found.log_likelihood == pytest.approx(value * 500, rel=1e-9)


def test_expected_values_are_the_means_of_what_simulated_customers_spent_next() -> None:
    x = np.random.default_rng(7).integers(0, 6, 200_000)
    seen, after = spending(6.25, 3.74, 15.44, x, seed=8, later=1)
    expected = CDNOW.expected_value(x, seen)
    for chosen in (x == 0, x == 1, x == 5, (x > 0) & (seen > 60), (x > 0) & (seen < 20)):
        error = np.std(after[chosen] - expected[chosen]) / np.sqrt(np.count_nonzero(chosen))
        assert abs(np.mean(after[chosen] - expected[chosen])) < 4 * error


def test_without_purchases_of_a_value_the_populations_mean_is_expected() -> None:
    mean = CDNOW.p * CDNOW.gamma / (CDNOW.q - 1)
    expected = CDNOW.expected_value(np.array([0, 3, 3]), np.array([0.0, 0.0, -5.0]))
    assert expected == pytest.approx([mean, mean, mean])


def test_a_population_without_a_mean_has_none_to_expect() -> None:
    heavy = GammaGamma(p=0.5, q=0.6, gamma=10.0, log_likelihood=0.0, customers=10, correlation=None)
    expected = heavy.expected_value(np.array([0, 2]), np.array([0.0, 20.0]))
    assert np.isnan(expected[0])
    assert expected[1] == pytest.approx(0.5 * (10 + 40) / (1 + 0.6 - 1))


def test_too_few_customers_are_counted_in_the_message() -> None:
    x = np.array([1] * 9 + [2, 0])
    with pytest.raises(LifetimeError, match="Only 9 customers have repeat purchases with a value above 0"):
        fit_gamma_gamma(x, np.array([5.0] * 9 + [-1.0, 0.0]))
