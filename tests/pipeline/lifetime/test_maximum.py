"""Where a likelihood is greatest, with a sample of the customers to lead there."""

import numpy as np
import pytest

from pipeline.lifetime.arrays import Floats
from pipeline.lifetime.errors import LifetimeError
from pipeline.lifetime.maximum import SAMPLE, maximum_of_many, sample_of


def hill(parameters: Floats) -> tuple[float, Floats]:
    """Highest where every parameter is 2."""
    return -float(np.sum((parameters - 2) ** 2)), -2 * (parameters - 2)


def slope(parameters: Floats) -> tuple[float, Floats]:
    """Rising for ever, and never flat."""
    return float("nan"), np.ones(parameters.size)


def test_the_start_that_the_sample_leads_to_is_taken() -> None:
    seen: list[Floats] = []

    def counted(parameters: Floats) -> tuple[float, Floats]:
        seen.append(parameters)
        return hill(parameters)

    found = maximum_of_many(counted, hill, [[1.0, 9.0], [0.1, 0.1]])
    assert found == pytest.approx([2, 2], abs=1e-6)
    assert seen[0] == pytest.approx([2, 2], abs=1e-6)


def test_a_sample_without_a_top_is_passed_over() -> None:
    assert maximum_of_many(hill, slope, [[1.0, 9.0]]) == pytest.approx([2, 2], abs=1e-6)
    with pytest.raises(LifetimeError):
        maximum_of_many(slope, slope, [[1.0, 9.0]])


def test_a_sample_is_even_and_the_same_in_any_order() -> None:
    x, t_x = np.arange(4 * SAMPLE) // 1000, np.arange(4 * SAMPLE) / 7
    shuffled = np.random.default_rng(0).permutation(x.size)
    first, second = sample_of(x, t_x), sample_of(x[shuffled], t_x[shuffled])
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert first[0].size == SAMPLE
    assert np.array_equal(np.bincount(first[0]), np.full(20, 250))
    assert sample_of(x[:10], t_x[:10])[0].size == 10
