"""Deliveries with everything that the public files lack, the same at every call.

Two sources whose order ids overlap, a correction; costs known and unknown, discounts, shipping, guests,
returns within orders and alone, orders over several days, regions and customers, products that change
name and category, equal amounts, texts that spreadsheets would run, and rows that break the contract.
"""

import csv
from datetime import date, timedelta
from pathlib import Path
from random import Random

from tests.e2e.second_computation.reference import Delivery

HEADER = (
    "Order ID", "Product ID", "Date of Sale", "Quantity Sold", "Unit Price", "Discount", "Shipping Cost",
    "Unit Cost", "Customer ID", "Product Name", "Category", "Region", "Payment Method", "Customer Name",
)  # fmt: skip
_REGIONS = ("Asia", "Europe", "Åland", "=1+1", "")
_PRICES = ("0", "1", "2", "2.5", "10", "10", "19.99", "0.000001", "333.333333")
_BROKEN = (
    ("X1", "P1", "2024-13-01", "1", "1", "", "", "", "", "", "", "", "", ""),
    ("X2", "P1", "2024-01-01", "1.5", "1", "", "", "", "", "", "", "", "", ""),
    ("X3", "P1", "2024-01-01", "0", "1", "", "", "", "", "", "", "", "", ""),
    ("X4", "P1", "2024-01-01", "1", "-1", "", "", "", "", "", "", "", "", ""),
    ("X5", "P1", "2024-01-01", "1", "1", "1.5", "", "", "", "", "", "", "", ""),
    ("X6", "P1", "2024-01-01", "1", "1.1234567", "", "", "", "", "", "", "", "", ""),
    ("X7", "P1", "2024-01-01", "1", "1", "", "-2", "", "", "", "", "", "", ""),
    ("X8", "", "2024-01-01", "1", "1", "", "", "", "", "", "", "", "", ""),
    ("X9", "P1", "2024-01-01", "1", "", "", "", "", "", "", "", "", "", ""),
)
Fields = tuple[str, ...]


def make_deliveries(folder: Path) -> list[Delivery]:
    """Write the files; in the order in which they are loaded."""
    random = Random(2024)
    default, web = _orders(random, "", 330), _orders(random, "W", 200)
    # Whole orders, every line with another price and quantity; later batches replace earlier ones.
    wanted = random.sample(sorted({row[0] for row in default}), 30)
    corrected = [_corrected(random, row) for row in default if row[0] in wanted]
    deliveries = []
    for name, source, rows in (
        ("till.csv", "default", [*default, *_BROKEN, *random.sample(default, 8)]),
        ("web.csv", "web", web),
        ("corrections.csv", "default", corrected),
    ):
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
        deliveries.append(Delivery(path, source))
    return deliveries


def _orders(random: Random, letter: str, count: int) -> list[Fields]:
    return [row for number in range(count) for row in _order(random, letter, number)]


def _order(random: Random, letter: str, number: int) -> list[Fields]:
    # Few orders in spring, none in some weeks, many in November.
    day = date(2023, 10, 1) + timedelta(days=int(random.triangular(0, 500, 420)))
    customer = "" if random.random() < 0.2 else f"{letter if number % 3 else ''}C{random.randrange(25)}"
    is_return = random.random() < 0.12
    region = random.choice(_REGIONS)
    rows = []
    for _ in range(random.choice([1, 1, 2, 3, 5])):
        returned = is_return or random.random() < 0.08
        buyer = f"C{random.randrange(25)}" if random.random() < 0.04 else customer
        when = day + timedelta(days=random.choice([0, 0, 0, 0, 0, 1, 9, 40]))
        rows.append(
            (
                str(number),
                *_product(random, when),
                str(random.choice([1, 1, 2, 5]) * (-1 if returned else 1)),
                random.choice(_PRICES),
                random.choice(["", "0", "0.1", "0.333333", "1"]),
                random.choice(["", "0", "4.5", "0.123456"]),
                random.choice(["", "", "0.5", "3.25", "0.000001"]),
                buyer,
                region if random.random() < 0.8 else random.choice(_REGIONS),
                random.choice(["Card", "Cash", ""]),
                random.choice(["", f"Name of {buyer}", f"@{buyer}"]) if buyer else "",
            )
        )
    return [_in_order(row) for row in rows]


def _product(random: Random, when: date) -> Fields:
    number = random.randrange(14)
    name = random.choice(["", f"Thing {number}", f"-Thing {number}, new"]) if number else ""
    category = "" if number == 1 else f"Kind {number % 4 + (when.year == 2024 and number % 5 == 0)}"
    return f"P{number}", when.isoformat(), name, category


def _in_order(row: Fields) -> Fields:
    order, product, when, name, category, quantity, price, discount, shipping, cost, buyer, *rest = row
    region, payment, customer_name = rest
    return (
        order, product, when, quantity, price, discount, shipping, cost, buyer, name, category, region,
        payment, customer_name,
    )  # fmt: skip


def _corrected(random: Random, row: Fields) -> Fields:
    return (*row[:3], str(int(row[3]) * 2), f"7.{random.randrange(10, 99)}", *row[5:])
