"""Lifetime values computed line by line, and customers to compute them of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from pipeline.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from pipeline.lifetime.gamma_gamma import fit_gamma_gamma
from tests.api.customer_reference import Buyer, buyers_of, six, written_money
from tests.api.published import ZERO, Line

Row = dict[str, Any]


def realised(buyers: Sequence[Buyer], start: date, end: date) -> Row:
    """What these customers brought in the range, as in JSON."""
    lines = [line for buyer in buyers for line in buyer.lines_within(start, end)]
    costed = [line for line in lines if line.cost is not None]
    net = sum((line.net for line in lines), ZERO)
    cost = sum((line.cost for line in costed if line.cost is not None), ZERO)
    costed_net = sum((line.net for line in costed), ZERO)
    return {
        "orders": sum(len(buyer.orders_within(start, end)) for buyer in buyers),
        "net_revenue": written_money(net),
        "cost": written_money(cost) if costed else None,
        "margin": written_money(costed_net - cost) if costed else None,
        "cost_coverage": six(costed_net, net),
    }


def group(buyers: Sequence[Buyer], start: date, end: date) -> Row:
    """Their sums and means, as in JSON."""
    found = realised(buyers, start, end)
    count = Decimal(len(buyers))
    margin = found["margin"]
    return {
        "customers": len(buyers),
        **found,
        "mean_net_revenue": six(Decimal(found["net_revenue"]), count),
        "mean_margin": None if margin is None else six(Decimal(margin), count),
    }


def buying_lines(count: int, seed: int) -> list[Line]:
    """Customers as BG/NBD has them, in whole days: some with several orders a day, some with returns."""
    random = np.random.default_rng(seed)
    first_of_all = date(2023, 1, 1)
    lines = []
    for number in range(count):
        rate, dropout = random.gamma(0.8, 1 / 6.0), random.beta(0.8, 2.5)
        spends = 1 / random.gamma(4.0, 1 / 60.0)
        day, age = first_of_all + timedelta(days=int(random.integers(0, 90))), 0.0
        while day < date(2024, 1, 1):
            for order in range(int(random.integers(1, 3))):
                price = Decimal(round(float(random.gamma(6.0, spends)), 2)).quantize(Decimal("0.01"))
                lines.append(
                    Line(
                        order_id=f"{number}-{day}-{order}",
                        product_id="P",
                        sale_date=day,
                        quantity=1,
                        unit_price=price,
                        customer_id=f"C{number:04}",
                        unit_cost=Decimal("1.5") if number % 3 else None,
                    )
                )
                if random.random() < 0.05:
                    lines.append(replace(lines[-1], quantity=-1, sale_date=day + timedelta(days=3)))
            if random.random() < dropout:
                break
            age += float(random.exponential(7 / rate))
            if age > 400:
                break
            day = day + timedelta(days=max(1, int(age)))
    return lines


def direct(
    lines: Sequence[Line], end: date, until: date, weeks: float
) -> tuple[BgNbd, dict[str, list[float]], Row]:
    """The model fitted without SQL, each customer's prediction, and the error on what came after."""
    buyers = [buyer for buyer in buyers_of(lines) if buyer.first_day <= end]
    days = [sorted({day for day in buyer.days if day <= end}) for buyer in buyers]
    x = np.array([len(found) - 1 for found in days])
    t_x = np.array([(found[-1] - found[0]).days / 7 for found in days])
    T = np.array([(end - found[0]).days / 7 for found in days])
    spent = [
        buyer.net_within(buyer.first_day + timedelta(days=1), end) if count else ZERO
        for buyer, count in zip(buyers, x, strict=True)
    ]
    mean = np.array([float(net) / max(count, 1) for net, count in zip(spent, x, strict=True)])
    model, value = fit_bg_nbd(x, t_x, T), fit_gamma_gamma(x, mean)
    purchases = model.expected_purchases(weeks, x, t_x, T)
    alive, worth = model.probability_alive(x, t_x, T), value.expected_value(x, mean)
    by_customer = {
        buyer.customer_id: [float(part[index]) for part in (purchases, alive, worth, purchases * worth)]
        for index, buyer in enumerate(buyers)
    }
    later = np.array([len({day for day in buyer.days if end < day <= until}) for buyer in buyers])
    foretold = model.expected_purchases((until - end).days / 7, x, t_x, T)
    error = {
        "customers": len(buyers),
        "predicted_purchases": float(foretold.sum()),
        "actual_purchases": int(later.sum()),
        "relative_error": float(foretold.sum() / later.sum() - 1) if later.sum() else None,
        "mean_absolute_error": float(np.abs(foretold - later).mean()),
        "root_mean_squared_error": float(np.sqrt(((foretold - later) ** 2).mean())),
    }
    return model, by_customer, error
