"""Customers who behave as the models say, made by their definitions."""

from dataclasses import dataclass

import numpy as np

from pipeline.lifetime.arrays import Counts, Floats
from pipeline.lifetime.bg_nbd import BgNbd

CDNOW = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259, log_likelihood=0.0)


@dataclass(frozen=True)
class Customers:
    """Histories until T, and what each really did in the weeks after."""

    x: Counts
    t_x: Floats
    T: Floats
    is_alive: Counts
    later: Counts


def customers(model: BgNbd, count: int, weeks_after: float, seed: int) -> Customers:
    """Customers who came at random times within half a year, seen for a year at most."""
    random = np.random.default_rng(seed)
    rate = random.gamma(model.r, 1 / model.alpha, count)
    dropout = random.beta(model.a, model.b, count)
    age = random.uniform(20, 52, count)
    rows = [_life(random, *one, weeks_after) for one in zip(rate, dropout, age, strict=True)]
    x, t_x, is_alive, later = map(np.array, zip(*rows, strict=True))
    return Customers(x, t_x.astype(np.float64), age, is_alive, later)


def _life(
    random: np.random.Generator, rate: float, dropout: float, age: float, weeks_after: float
) -> tuple[int, float, int, int]:
    x, t_x, later, now = 0, 0.0, 0, 0.0
    left_at = np.inf
    while True:
        now += random.exponential(1 / rate)
        if now > age + weeks_after:
            break
        if now <= age:
            x, t_x = x + 1, now
        else:
            later += 1
        if random.random() < dropout:
            left_at = now
            break
    return x, t_x, int(left_at > age), later


def spending(
    p: float, q: float, gamma: float, x: Counts, seed: int, later: int = 0
) -> tuple[Floats, Floats]:  # fmt: skip
    """The mean of each customer's x purchases, and of ``later`` more."""
    random = np.random.default_rng(seed)
    nu = random.gamma(q, 1 / gamma, x.size)
    seen = random.gamma(p * np.maximum(x, 1), 1 / nu) / np.maximum(x, 1)
    after = random.gamma(p * max(later, 1), 1 / nu) / max(later, 1)
    return np.where(x > 0, seen, 0.0), after
