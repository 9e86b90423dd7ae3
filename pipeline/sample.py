"""Believable sales of a shop that does not exist, by seed; as many as asked for, in bounded memory.

Three years that end on a fixed day, with seasons, weekdays, growth, a long tail of products,
returning customers, discounts, returns and unit costs. Money is integer cents throughout.
"""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.errors import TillhouseError

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2025, 12, 31)
MAX_ROWS = 1_000_000_000

_DAYS = (LAST_DAY - FIRST_DAY).days + 1
_CHUNK_ROWS = 200_000
_FIRST_ORDER = 100_001

_BY_MONTH = (0.86, 0.82, 0.92, 0.96, 1.0, 0.98, 0.9, 0.88, 0.98, 1.04, 1.3, 1.45)
_BY_WEEKDAY = (0.95, 0.9, 0.92, 0.98, 1.15, 1.2, 0.9)
_YEARLY_GROWTH = 0.22
_LINES_PER_ORDER = (0.52, 0.24, 0.12, 0.07, 0.03, 0.02)
_GUEST_SHARE = 0.06
_RETURN_SHARE = 0.03
_AWAY_SHARE = 0.03

_REGIONS = ("North America", "Europe", "Asia", "South America", "Oceania", "Africa")
_REGION_SHARES = (0.36, 0.31, 0.17, 0.08, 0.05, 0.03)
_CITIES = (
    ("Denver", "Austin", "Toronto", "Portland", "Halifax"),
    ("Porto", "Leipzig", "Lyon", "Ghent", "Turku"),
    ("Osaka", "Pune", "Busan", "Penang", "Cebu"),
    ("Rosario", "Curitiba", "Valdivia", "Cali", "Cusco"),
    ("Hobart", "Dunedin", "Geelong", "Nelson", "Cairns"),
    ("Mombasa", "Kumasi", "Durban", "Fez", "Arusha"),
)
_STREETS = (
    "Mill Street",
    "Harbour Road",
    "Orchard Lane",
    "Station Square",
    "Chapel Hill",
    "Canal Walk",
    "High Street",
)
_SHIPPING = ("5.90", "4.90", "8.50", "9.90", "11.00", "12.50")
_PAYMENTS = ("Credit Card", "PayPal", "Debit Card", "Bank Transfer", "Gift Card")
_PAYMENT_SHARES = (0.46, 0.24, 0.18, 0.09, 0.03)
_DISCOUNTS = ("0", "0.05", "0.1", "0.15", "0.2", "0.3")
_DISCOUNT_SHARES = (0.72, 0.09, 0.1, 0.04, 0.04, 0.01)
_CAMPAIGN_SHARES = (0.4, 0.1, 0.18, 0.12, 0.14, 0.06)
_CAMPAIGN_MONTH = 11
_QUANTITIES = (0.7, 0.17, 0.07, 0.03, 0.02, 0.01)

# Category: its things, and the cents that they cost in the middle.
_CATEGORIES = {
    "Shoes": (("Running Shoes", "Boots", "Sandals", "Sneakers"), 8_900),
    "Clothing": (("Shirt", "Jeans", "Jacket", "Jumper", "Socks"), 4_200),
    "Electronics": (("Headphones", "Speaker", "Tablet", "Camera", "Charger"), 14_900),
    "Kitchen": (("Kettle", "Frying Pan", "Knife Set", "Teapot"), 3_900),
    "Garden": (("Spade", "Planter", "Hose", "Bench"), 3_400),
    "Toys": (("Puzzle", "Kite", "Building Set", "Board Game"), 2_400),
    "Books": (("Cookbook", "Atlas", "Novel", "Field Guide"), 1_900),
    "Sports": (("Yoga Mat", "Tent", "Backpack", "Bicycle Pump"), 5_500),
}
_STYLES = ("Classic", "Urban", "Alpine", "Coastal", "Nordic", "Compact", "Everyday", "Heritage")

_Numbers = npt.NDArray[np.int64]


class SampleError(TillhouseError):
    """The sample cannot be written as asked."""


class _Catalogue:
    """The products: a long tail, with a price that goes up each year."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self.count = count
        ranks = np.arange(1, count + 1)
        self.cumulative = np.cumsum((ranks + 4.0) ** -1.05)
        self.cumulative /= self.cumulative[-1]
        categories = list(_CATEGORIES)
        chosen = rng.integers(0, len(categories), count)
        self.ids = pl.Series([f"P{rank:05d}" for rank in ranks])
        self.categories = pl.Series([categories[index] for index in chosen])
        self.names = pl.Series(
            [_product_name(int(rank), categories[at]) for rank, at in zip(ranks, chosen, strict=True)]
        )
        middles = np.array([_CATEGORIES[category][1] for category in categories])[chosen]
        cents = np.maximum(
            300, (middles * rng.lognormal(0.0, 0.45, count)).astype(np.int64) // 100 * 100 + 99
        )
        margins = rng.integers(28, 62, count)
        prices = np.stack(
            [cents * (100 + 3 * year) // 100 for year in range(LAST_DAY.year - FIRST_DAY.year + 1)]
        )
        self.prices = _money(prices)
        self.costs = _money(prices * (100 - margins) // 100)

    def draw(self, rng: np.random.Generator, lines: int) -> _Numbers:
        """Products by popularity."""
        return np.searchsorted(self.cumulative, rng.random(lines)).astype(np.int64)


def _product_name(rank: int, category: str) -> str:
    things = _CATEGORIES[category][0]
    style = _STYLES[rank // len(things) % len(_STYLES)]
    return f"{style} {things[rank % len(things)]} {rank}"


def _money(cents: npt.NDArray[np.int64]) -> pl.Series:
    return pl.Series([f"{value // 100}.{value % 100:02d}" for value in cents.ravel().tolist()])


def sample_chunks(rows: int, seed: int) -> Iterator[pl.DataFrame]:
    """The sample's lines in order of date, an order's lines side by side, as text columns.

    The same rows and seed give the same lines, ``rows`` of them in all; no two are equal.
    """
    rng = np.random.default_rng(seed)
    catalogue = _Catalogue(int(np.clip(rows // 250, 60, 4_000)), rng)
    customers = max(40, rows // 22)
    per_day = rng.multinomial(rows, _day_weights(rng))
    next_order = _FIRST_ORDER
    for first, last in _day_ranges(per_day):
        days = np.repeat(np.arange(first, last), per_day[first:last])
        if len(days) == 0:
            continue
        chunk, orders = _chunk(days, next_order, catalogue, customers, rng)
        next_order += orders
        yield chunk


def _day_weights(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    days = [FIRST_DAY + timedelta(days=number) for number in range(_DAYS)]
    weights = np.array(
        [
            _BY_MONTH[day.month - 1]
            * _BY_WEEKDAY[day.weekday()]
            * (1 + _YEARLY_GROWTH) ** (number / 365)
            * (2.2 if day.month == _CAMPAIGN_MONTH and day.day in range(24, 30) else 1.0)
            for number, day in enumerate(days)
        ]
    ) * rng.lognormal(0.0, 0.08, _DAYS)
    return np.asarray(weights / weights.sum())


def _day_ranges(per_day: _Numbers) -> Iterator[tuple[int, int]]:
    """Runs of whole days with about as many lines as a chunk should have."""
    first, lines = 0, 0
    for day, count in enumerate(per_day.tolist()):
        if lines and lines + count > _CHUNK_ROWS:
            yield first, day
            first, lines = day, 0
        lines += count
    yield first, len(per_day)


def _chunk(
    days: _Numbers, first_order: int, catalogue: _Catalogue, customers: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, int]:
    lines = len(days)
    order = _orders(days, rng)
    starts = np.flatnonzero(np.diff(order, prepend=-1))
    orders = len(starts)
    order_days = days[starts]
    # Older customers buy more often; new ones keep coming.
    reached = customers * (0.2 + 0.8 * (order_days + 1) / _DAYS)
    customer = 1 + (reached * rng.random(orders) ** 1.5).astype(np.int64)
    home = _home_region(customer)
    region = np.where(rng.random(orders) < _AWAY_SHARE, rng.integers(0, len(_REGIONS), orders), home)
    payment = rng.choice(len(_PAYMENTS), orders, p=_PAYMENT_SHARES)
    is_guest = rng.random(orders) < _GUEST_SHARE
    is_return = rng.random(orders) < _RETURN_SHARE
    product = _distinct_products(order, catalogue, rng)
    quantity = (1 + rng.choice(len(_QUANTITIES), lines, p=_QUANTITIES)) * np.where(is_return[order], -1, 1)
    pays_shipping = (np.diff(order, prepend=-1) != 0) & ~is_return[order]
    dates = pl.Series([FIRST_DAY + timedelta(days=number) for number in range(_DAYS)]).cast(pl.String)
    years = np.array([(FIRST_DAY + timedelta(days=number)).year - FIRST_DAY.year for number in range(_DAYS)])
    priced = years[days] * catalogue.count + product
    frame = pl.DataFrame(
        {"order": order + first_order, "customer": customer[order], "guest": is_guest[order]}
    )
    number = pl.col("customer").cast(pl.String).str.zfill(5)
    known = pl.when(~pl.col("guest"))
    return (
        frame.select(
            pl.col("order").cast(pl.String).alias("Order ID"),
            catalogue.ids[product].alias("Product ID"),
            known.then(pl.format("C{}", number)).alias("Customer ID"),
            catalogue.names[product].alias("Product Name"),
            catalogue.categories[product].alias("Category"),
            pl.Series(_REGIONS)[region[order]].alias("Region"),
            dates[days].alias("Date of Sale"),
            pl.Series("Quantity Sold", quantity),
            catalogue.prices[priced].alias("Unit Price"),
            pl.Series(_DISCOUNTS)[_discounts(days, rng)].alias("Discount"),
            pl.Series(("0.00", *_SHIPPING))[np.where(pays_shipping, 1 + region[order], 0)].alias(
                "Shipping Cost"
            ),
            pl.Series(_PAYMENTS)[payment[order]].alias("Payment Method"),
            known.then(pl.format("Customer {}", number)).alias("Customer Name"),
            known.then(pl.format("customer{}@example.invalid", number)).alias("Customer Email"),
            known.then(_address(customer, home)[order]).alias("Customer Address"),
            catalogue.costs[priced].alias("Unit Cost"),
        ),
        orders,
    )


def _orders(days: _Numbers, rng: np.random.Generator) -> _Numbers:
    """Each line's order, counted from 0; an order ends with its day."""
    sizes = 1 + rng.choice(len(_LINES_PER_ORDER), len(days), p=_LINES_PER_ORDER)
    begins = np.diff(days, prepend=-1) != 0
    at = np.cumsum(sizes)
    begins[at[at < len(days)]] = True
    return (np.cumsum(begins) - 1).astype(np.int64)


def _distinct_products(order: _Numbers, catalogue: _Catalogue, rng: np.random.Generator) -> _Numbers:
    """A product for each line, none twice in an order, so that no two lines are equal."""
    product = catalogue.draw(rng, len(order))
    while True:
        pair = order * catalogue.count + product
        again = np.ones(len(pair), dtype=np.bool_)
        again[np.unique(pair, return_index=True)[1]] = False
        if not again.any():
            return product
        product[again] = rng.integers(0, catalogue.count, int(again.sum()))


def _discounts(days: _Numbers, rng: np.random.Generator) -> _Numbers:
    months = np.array([(FIRST_DAY + timedelta(days=number)).month for number in range(_DAYS)])
    usual = rng.choice(len(_DISCOUNTS), len(days), p=_DISCOUNT_SHARES)
    campaign = rng.choice(len(_DISCOUNTS), len(days), p=_CAMPAIGN_SHARES)
    return np.where(months[days] == _CAMPAIGN_MONTH, campaign, usual)


def _home_region(customer: _Numbers) -> _Numbers:
    """A customer's region: the same at every order, without remembering anybody."""
    spread = (customer * 7_919 % 10_007) / 10_007
    return np.searchsorted(np.cumsum(_REGION_SHARES)[:-1], spread, side="right").astype(np.int64)


def _address(customer: _Numbers, home: _Numbers) -> pl.Series:
    cities = pl.Series([city for region in _CITIES for city in region])
    per_region = len(_CITIES[0])
    frame = pl.DataFrame(
        {
            "house": 1 + customer * 31 % 197,
            "street": pl.Series(_STREETS)[customer * 13 % len(_STREETS)],
            "city": cities[home * per_region + customer * 17 % per_region],
        }
    )
    return frame.select(pl.format("{} {}, {}", "house", "street", "city")).to_series()


def write_sample(output: Path | None, *, rows: int, seed: int) -> None:
    """Write a sample as CSV: to a file (gzipped when its name ends in .gz), or to stdout (None).

    The file appears under its name once it is complete.

    Raises:
        SampleError: the number of rows or the file cannot be.
    """
    if not 1 <= rows <= MAX_ROWS:
        raise SampleError(f"a sample has from 1 to {MAX_ROWS:,} rows; asked for were {rows:,}")
    if output is None:
        _write(sys.stdout.buffer, rows, seed)
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with _opened(part, is_gzip=output.suffix == ".gz") as file:
            _write(file, rows, seed)
        part.replace(output)
    except OSError as error:
        raise SampleError(f"{output}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, *, is_gzip: bool) -> Iterator[BinaryIO]:
    with path.open("wb") as file:
        if not is_gzip:
            yield file
            return
        # No name and no time inside, so that equal samples are equal files.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=file, mtime=0) as zipped:
            yield cast(BinaryIO, zipped)


def _write(file: BinaryIO, rows: int, seed: int) -> None:
    for number, chunk in enumerate(sample_chunks(rows, seed)):
        chunk.write_csv(file, include_header=number == 0)
