"""BG/NBD, against its definition, its authors' figures, and customers made by chance."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1
from scipy.stats import beta, gamma

from pipeline.lifetime.arrays import Floats
from pipeline.lifetime.bg_nbd import BgNbd, Likelihood, fit_bg_nbd
from pipeline.lifetime.errors import LifetimeError
from tests.pipeline.lifetime.simulated import CDNOW, customers


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value], dtype=np.float64)


def integrated(model: BgNbd, x: int, t_x: float, T: float) -> float:
    """The likelihood as the model is told: averaged over every rate and every dropout probability."""
    rates, dropouts = gamma(model.r, scale=1 / model.alpha), beta(model.a, model.b)

    def over_rates(time: float) -> float:
        return float(
            sum(
                quad(lambda rate: rate**x * np.exp(-rate * time) * rates.pdf(rate), low, high, limit=200)[0]
                for low, high in ((0, 1e-3), (1e-3, 1), (1, 20), (20, 200))
            )
        )

    def over_dropouts(leaves: int) -> float:
        stays = x - leaves
        return float(quad(lambda p: p**leaves * (1 - p) ** stays * dropouts.pdf(p), 0, 1, limit=200)[0])

    alive = over_dropouts(0) * over_rates(T)
    return alive + (over_dropouts(1) * over_rates(t_x) if x > 0 else 0.0)


@pytest.mark.parametrize(
    ("x", "t_x", "T"), [(0, 0.0, 38.86), (1, 1.71, 38.86), (2, 30.43, 38.86), (9, 20.0, 27.0)]
)
def test_the_likelihood_is_the_models_definition_integrated(x: int, t_x: float, T: float) -> None:
    model = BgNbd(r=1.3, alpha=4.4, a=1.6, b=2.4, log_likelihood=0.0)
    value, _ = Likelihood(np.array([x]), one(t_x), one(T))(np.array([1.3, 4.4, 1.6, 2.4]))
    assert np.exp(value) == pytest.approx(integrated(model, x, t_x, T), rel=1e-6)


def test_the_slope_is_the_likelihoods_change() -> None:
    made = customers(CDNOW, 300, 0, seed=1)
    likelihood = Likelihood(made.x, made.t_x, made.T)
    at = np.array([0.4, 5.0, 0.7, 2.0])
    _, slope = likelihood(at)
    for index, step in enumerate(np.eye(4) * 1e-6):
        change = (likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-6
        assert slope[index] == pytest.approx(change, rel=1e-5, abs=1e-8)


def test_equal_customers_cost_once_and_count_each() -> None:
    x, t_x, T = np.array([0, 2, 2, 2]), np.array([0.0, 3, 3, 3]), np.array([9.0, 8, 8, 8])
    at = np.array([0.4, 5.0, 0.7, 2.0])
    single = [Likelihood(x[i : i + 1], t_x[i : i + 1], T[i : i + 1])(at)[0] for i in range(4)]
    assert Likelihood(x, t_x, T)(at)[0] == pytest.approx(np.mean(single), rel=1e-12)


def test_the_parameters_of_simulated_customers_are_found_again() -> None:
    made = customers(CDNOW, 40_000, 0, seed=2)
    found = fit_bg_nbd(made.x, made.t_x, made.T)
    assert found.r == pytest.approx(CDNOW.r, rel=0.05)
    assert found.alpha == pytest.approx(CDNOW.alpha, rel=0.05)
    assert found.a / found.b == pytest.approx(CDNOW.a / CDNOW.b, rel=0.1)
    truth, _ = Likelihood(made.x, made.t_x, made.T)(np.array([CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b]))
    assert found.log_likelihood >= truth * made.x.size
    assert found.limits == ()


def test_a_fit_is_the_same_every_time_and_in_any_order() -> None:
    made = customers(CDNOW, 2_000, 0, seed=3)
    shuffled = np.random.default_rng(0).permutation(2_000)
    first = fit_bg_nbd(made.x, made.t_x, made.T)
    assert fit_bg_nbd(made.x[shuffled], made.t_x[shuffled], made.T[shuffled]) == first


def test_the_expectation_of_the_authors_example_is_theirs() -> None:
    # Fader, Hardie and Lee: "Implementing the BG/NBD Model in Excel", customer 0001, 39 weeks.
    published = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=-9582.4)
    found = published.expected_purchases(39.0, np.array([2]), one(30.43), one(38.86))
    assert round(float(found[0]), 3) == 1.226


@pytest.mark.parametrize("weeks", [1.0, 39.0, 260.0])
@pytest.mark.parametrize(("x", "t_x", "T"), [(0, 0.0, 38.86), (2, 30.43, 38.86), (25, 30.0, 31.0)])
def test_the_expectation_is_the_papers_hypergeometric_one(x: int, t_x: float, T: float, weeks: float) -> None:
    r, alpha, a, b = CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b
    z = weeks / (alpha + T + weeks)
    inner = hyp2f1(r + x, b + x, a + b + x - 1, z) * ((alpha + T) / (alpha + T + weeks)) ** (r + x)
    left = a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x) if x else 0.0
    expected = (a + b + x - 1) / (a - 1) * (1 - inner) / (1 + left)
    found = CDNOW.expected_purchases(weeks, np.array([x]), one(t_x), one(T))
    assert found[0] == pytest.approx(expected, rel=1e-9)


def test_new_customers_buy_as_the_papers_expectation_says() -> None:
    r, alpha, a, b = CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b
    weeks = np.array([1.0, 12.0, 52.0])
    inner = (alpha / (alpha + weeks)) ** r * hyp2f1(r, b, a + b - 1, weeks / (alpha + weeks))
    assert CDNOW.expected_purchases_of_new(weeks) == pytest.approx(
        (a + b - 1) / (a - 1) * (1 - inner), rel=1e-9
    )


def test_predictions_are_the_means_of_what_simulated_customers_did() -> None:
    made = customers(CDNOW, 60_000, 26.0, seed=4)
    predicted = CDNOW.expected_purchases(26.0, made.x, made.t_x, made.T)
    alive = CDNOW.probability_alive(made.x, made.t_x, made.T)
    for chosen in (made.x == 0, made.x == 1, (made.x > 1) & (made.x < 6), made.x >= 6, made.t_x > 20):
        size = np.count_nonzero(chosen)
        error = np.std(made.later[chosen] - predicted[chosen]) / np.sqrt(size)
        assert abs(np.mean(made.later[chosen] - predicted[chosen])) < 4 * error
        chance = np.sqrt(np.mean(alive[chosen] * (1 - alive[chosen])) / size)
        assert abs(np.mean(made.is_alive[chosen] - alive[chosen])) <= 4 * chance


@pytest.mark.parametrize("x", [0, 1, 300, 20_000])
@pytest.mark.parametrize("a", [0.001, 1.0, 1.0000001, 50.0, 20_000.0])
@pytest.mark.parametrize("b", [0.001, 2.0, 1_000.0])
def test_the_expectation_holds_where_the_hypergeometric_function_does_not(x: int, a: float, b: float) -> None:
    model = replace(CDNOW, a=a, b=b)
    state = np.array([x]), one(99.0 if x else 0.0), one(100.0)
    weeks = [0.0, 1.0, 10.0, 520.0]
    found = [float(model.expected_purchases(span, *state)[0]) for span in weeks]
    most = [
        float(model.probability_alive(*state)[0]) * span * (model.r + x) / (model.alpha + 100)
        for span in weeks
    ]
    assert found[0] == 0
    assert all(0 <= low <= high for low, high in pairwise(found))
    # Nobody buys more than who never leaves, nor more often than until leaving.
    assert all(value <= limit * (1 + 1e-9) for value, limit in zip(found, most, strict=True))
    if a > 1:
        assert found[-1] <= (a + b + x - 1) / (a - 1) * (1 + 1e-9)


def test_a_customer_who_never_came_back_is_alive_and_one_long_gone_is_not() -> None:
    alive = CDNOW.probability_alive(
        np.array([0, 40, 4_000]), np.array([0.0, 5, 5]), np.array([40.0, 40, 400])
    )
    assert alive[0] == 1
    assert 0 <= alive[2] <= alive[1] < 1e-6


def test_too_few_who_came_back_are_counted_in_the_message() -> None:
    x = np.array([1] * 9 + [0] * 500)
    with pytest.raises(
        LifetimeError, match="Only 9 customers bought again on a later day; the model needs 10"
    ):
        fit_bg_nbd(x, x * 2.0, x * 0 + 30.0)


def test_customers_who_are_all_alike_end_at_a_limit_and_are_predicted_all_the_same() -> None:
    weeks: Floats = np.linspace(30.0, 50.0, 60)
    x = np.round(weeks / 5).astype(np.int64)
    t_x = np.asarray(x * 5.0 - 1, dtype=np.float64)
    found = fit_bg_nbd(x, t_x, weeks)
    assert found.limits == ("alpha", "a", "b")
    predicted = found.expected_purchases(10.0, x, t_x, weeks)
    assert predicted == pytest.approx(np.full(60, 2.0), rel=0.1)
