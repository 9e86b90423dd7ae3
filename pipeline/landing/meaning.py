"""What a source means by its numbers: discounts as amounts, tax, shipping, the sign of a quantity.

Amounts are compared as exact decimals, and only where a source states some: the rest of the
arithmetic is the build's.
"""

import polars as pl

from pipeline.landing.columns import ColumnMap
from pipeline.landing.rules import MAX_QUANTITY, TOO_BIG
from pipeline.sources import SourceSettings

_AMOUNT = pl.Decimal(38, 6)
# The product of two numbers with six decimals each.
_PRODUCT = pl.Decimal(38, 12)


def meanings(columns: ColumnMap, settings: SourceSettings, currency: str) -> list[pl.Expr]:
    """What a line states, and whether its numbers go together; null where there is nothing to judge."""
    return [
        *_discount(settings),
        *_tax(columns, settings),
        *_shipping(settings),
        _is_allowed(settings).alias("quantity_is_allowed"),
        _is_ours(columns, currency).alias("currency_is_ours"),
    ]


def _discount(settings: SourceSettings) -> list[pl.Expr]:
    if not settings.discount.startswith("amount"):
        return [
            _nothing(pl.String, "discount_amount"),
            _nothing(pl.Boolean, "discount_fits"),
            _nothing(_AMOUNT, "line_discount"),
        ]
    amount = _stated_discount(settings)
    return [
        pl.lit("0").alias("discount"),
        pl.col("discount").alias("discount_amount"),
        (amount <= _value()).alias("discount_fits"),
        amount.alias("line_discount"),
    ]


def _stated_discount(settings: SourceSettings) -> pl.Expr:
    amount = _decimal("discount")
    return amount * _units() if settings.discount == "amount_per_unit" else amount


def _tax(columns: ColumnMap, settings: SourceSettings) -> list[pl.Expr]:
    fits = pl.lit(None, dtype=pl.Boolean)
    stated = pl.lit(None, dtype=pl.Boolean)
    if columns.states("tax") and settings.negative_quantity != "sale":
        # A return line's tax may be written with its sign or without: its quantity says that it comes back.
        fits = (pl.col("quantity_number") < 0) | (_decimal("tax") >= 0)
    if settings.prices_include_tax:
        stated = (pl.col("tax") != "") | (pl.col("tax_rate") != "")
        paid = _value().cast(_PRODUCT) - _deducted(settings)
        fits = fits & (_decimal("tax").abs().cast(_PRODUCT) <= paid)
    return [
        fits.alias("tax_fits"),
        stated.alias("tax_is_stated"),
        pl.lit(settings.prices_include_tax or None, dtype=pl.Boolean).alias("prices_include_tax"),
    ]


def _deducted(settings: SourceSettings) -> pl.Expr:
    if settings.discount.startswith("amount"):
        return _stated_discount(settings).cast(_PRODUCT)
    return _value().cast(_PRODUCT) * _decimal("discount").cast(_PRODUCT)


def _shipping(settings: SourceSettings) -> list[pl.Expr]:
    """What an order was charged stands on each of its lines: the build counts it once."""
    if settings.shipping == "per_line":
        return [_nothing(pl.String, "order_shipping")]
    stated = pl.col("shipping")
    return [pl.when(stated != "").then(stated).alias("order_shipping"), pl.lit("0").alias("shipping")]


def _is_allowed(settings: SourceSettings) -> pl.Expr:
    if settings.negative_quantity == "quarantine":
        return pl.col("quantity_number") > 0
    return pl.lit(None, dtype=pl.Boolean)


def _is_ours(columns: ColumnMap, currency: str) -> pl.Expr:
    if not columns.states("currency"):
        return pl.lit(None, dtype=pl.Boolean)
    return pl.col("currency").str.to_uppercase().is_in(["", currency])


def _value() -> pl.Expr:
    """Quantity × price, without a sign."""
    return _units() * _decimal("unit_price")


def _units() -> pl.Expr:
    quantity = pl.col("quantity_number").abs()
    return pl.when(quantity <= MAX_QUANTITY).then(quantity).cast(pl.Decimal(38, 0))


def _decimal(name: str) -> pl.Expr:
    """A number's exact value; null where it is none, or too big to be judged here."""
    text = pl.col(name)
    return pl.when(~text.str.contains(TOO_BIG)).then(text).str.to_decimal(scale=6).cast(_AMOUNT)


def _nothing(kind: pl.DataType | type[pl.DataType], name: str) -> pl.Expr:
    return pl.lit(None, dtype=kind).alias(name)
