"""Rows of which a glance tells that they keep the whole contract of an order line.

Most rows do. Only the others are tried rule by rule, which costs several times as much; a test holds this
glance to the contract: what it lets pass breaks no rule.
"""

from functools import reduce
from operator import and_

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.rules import DATE, ID_CHARACTERS, LABEL_CHARACTERS, MAX_QUANTITY, between_years

_INTEGER = r"^-?[0-9]{1,10}$"
_AMOUNT = r"^[0-9]{1,12}(?:\.[0-9]{1,6})?$"
_COST = r"^(?:[0-9]{1,12}(?:\.[0-9]{1,6})?)?$"
_SHARE = r"^0(?:\.[0-9]{1,6})?$"
_LOOKS = {
    "sale_date": DATE,
    "quantity": _INTEGER,
    "unit_price": _AMOUNT,
    "discount": _SHARE,
    "shipping": _AMOUNT,
    "unit_cost": _COST,
}
_LABELS = ("category", "region", "payment_method")
# Said of few files, and judged only by the contract.
_MUST_BE_NULL = ("line_id", "discount_amount", "order_shipping")
_MUST_BE_BLANK = ("store_id", "tax", "tax_rate")
_FLAGS = ("discount_fits", "tax_fits", "tax_is_stated", "quantity_is_allowed", "currency_is_ours")


def plainly_kept(values: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows surely keep ``OrderLineContract``, whose columns ``values`` has."""
    is_plain = values.select(reduce(and_, _conditions()).fill_null(value=False)).to_series()
    for name, look in _LOOKS.items():
        is_plain &= _looks_like(values[name], look)
    return is_plain.to_numpy().copy()


def _conditions() -> list[pl.Expr]:
    return [
        pl.col("damage") == 0,
        ~pl.col("is_repeat"),
        # A character has at least one byte, and counting bytes is cheap.
        *(pl.col(name).str.len_bytes().is_between(1, ID_CHARACTERS) for name in ("order_id", "product_id")),
        pl.col("customer_id").str.len_bytes() <= ID_CHARACTERS,
        *(pl.col(name).str.len_bytes() <= LABEL_CHARACTERS for name in _LABELS),
        between_years(pl.col("sale_day")),
        pl.col("quantity_number").is_between(-MAX_QUANTITY, MAX_QUANTITY) & (pl.col("quantity_number") != 0),
        *(pl.col(name).is_null() for name in _MUST_BE_NULL),
        *(pl.col(name) == "" for name in _MUST_BE_BLANK),
        *(pl.col(name).fill_null(value=True) for name in _FLAGS),
    ]


def _looks_like(texts: pl.Series, look: str) -> pl.Series:
    """Which texts look so; each distinct one is looked at once."""
    distinct = texts.unique()
    odd = distinct.filter(~distinct.str.contains(look).fill_null(value=False))
    return ~texts.is_in(odd.implode(), nulls_equal=True) if len(odd) else texts.is_not_null()
