"""The contracts of the feeds besides order lines. A rule's name is its public code."""

from typing import Any

import dataframely as dy
import polars as pl

from pipeline.landing.chunks import Damage
from pipeline.landing.rules import (
    BELOW_ZERO,
    DATE,
    ID_CHARACTERS,
    INTEGER,
    LABEL_CHARACTERS,
    MAX_QUANTITY,
    TOO_BIG,
    TOO_PRECISE,
    given,
    number,
    rule,
    short,
    undamaged,
    without,
)

_NOT_REPEATED = ~pl.col("is_repeat")


def _text() -> Any:
    return dy.String(nullable=True)


def _is_date() -> pl.Expr:
    return (pl.col("date_text") == "") | pl.col("date_text").str.contains(DATE) & pl.col("day").is_not_null()


def _is_in_range() -> pl.Expr:
    in_range = pl.col("day").is_between(pl.date(1900, 1, 1), pl.date(2199, 12, 31))
    return in_range | ~pl.col("date_text").str.contains(DATE)


class _Row(dy.Schema):
    """How any row may be damaged."""

    position = dy.UInt32(nullable=True)
    damage = dy.UInt16(nullable=True)
    is_repeat = dy.Bool(nullable=True)

    repeated_header = rule(undamaged(Damage.REPEATED_HEADER))
    row_too_long = rule(undamaged(Damage.ROW_TOO_LONG))
    unclosed_quote = rule(undamaged(Damage.UNCLOSED_QUOTE))
    malformed_quotes = rule(undamaged(Damage.MALFORMED_QUOTES))
    stray_carriage_return = rule(undamaged(Damage.STRAY_CARRIAGE_RETURN))
    too_few_fields = rule(undamaged(Damage.TOO_FEW_FIELDS))
    too_many_fields = rule(undamaged(Damage.TOO_MANY_FIELDS))
    invalid_utf8 = rule(undamaged(Damage.INVALID_UTF8))
    nul_character = rule(undamaged(Damage.NUL_CHARACTER))
    malformed_json = rule(undamaged(Damage.MALFORMED_JSON))


class UnitCostContract(_Row):
    """What a product costs from a day on; without a day, always."""

    product_id = _text()
    cost = _text()
    date_text = _text()
    day = dy.Date(nullable=True)

    product_id_missing = rule(given("product_id"))
    product_id_too_long = rule(short("product_id", ID_CHARACTERS))
    cost_missing = rule(given("cost"))
    cost_invalid = rule(number("cost"))
    cost_negative = rule(without("cost", BELOW_ZERO))
    cost_too_precise = rule(without("cost", TOO_PRECISE))
    cost_out_of_range = rule(without("cost", TOO_BIG))
    valid_from_invalid = rule(_is_date())
    valid_from_out_of_range = rule(_is_in_range())
    duplicate_row = rule(_NOT_REPEATED)


class RefundContract(_Row):
    """Money that was given back for an order: an amount, or units of a product at what was paid."""

    refund_id = _text()
    order_id = _text()
    product_id = _text()
    source = _text()
    amount = _text()
    quantity = _text()
    quantity_number = dy.Int64(nullable=True)
    date_text = _text()
    day = dy.Date(nullable=True)

    refund_id_missing = rule(given("refund_id"))
    refund_id_too_long = rule(short("refund_id", ID_CHARACTERS))
    order_id_missing = rule(given("order_id"))
    order_id_too_long = rule(short("order_id", ID_CHARACTERS))
    product_id_too_long = rule(short("product_id", ID_CHARACTERS))
    source_too_long = rule(short("source", ID_CHARACTERS))
    date_missing = rule(pl.col("date_text") != "")
    date_invalid = rule(_is_date())
    date_out_of_range = rule(_is_in_range())
    amount_or_quantity_missing = rule(given("amount") | given("quantity"))
    amount_and_quantity = rule(~given("amount") | ~given("quantity"))
    amount_invalid = rule(number("amount"))
    amount_not_positive = rule(
        without("amount", BELOW_ZERO) & ~pl.col("amount").str.contains(r"^[+-]?0*\.?0*$") | ~given("amount")
    )
    amount_too_precise = rule(without("amount", TOO_PRECISE))
    amount_out_of_range = rule(without("amount", TOO_BIG))
    quantity_not_integer = rule(~given("quantity") | pl.col("quantity").str.contains(INTEGER))
    quantity_not_positive = rule(pl.col("quantity_number") > 0)
    quantity_out_of_range = rule(
        ~pl.col("quantity").str.contains(INTEGER)
        | (pl.col("quantity_number") <= MAX_QUANTITY).fill_null(value=False)
    )
    quantity_without_product = rule(~given("quantity") | given("product_id"))
    duplicate_row = rule(_NOT_REPEATED)


class StoreContract(_Row):
    """A shop or branch, and where it is."""

    store_id = _text()
    region = _text()

    store_id_missing = rule(given("store_id"))
    store_id_too_long = rule(short("store_id", ID_CHARACTERS))
    region_too_long = rule(short("region", LABEL_CHARACTERS))
    duplicate_row = rule(_NOT_REPEATED)


class ProductContract(_Row):
    """A product's attributes."""

    product_id = _text()
    category = _text()
    list_price = _text()
    unit_cost = _text()

    product_id_missing = rule(given("product_id"))
    product_id_too_long = rule(short("product_id", ID_CHARACTERS))
    category_too_long = rule(short("category", LABEL_CHARACTERS))
    list_price_invalid = rule(number("list_price"))
    list_price_negative = rule(without("list_price", BELOW_ZERO))
    list_price_too_precise = rule(without("list_price", TOO_PRECISE))
    list_price_out_of_range = rule(without("list_price", TOO_BIG))
    unit_cost_invalid = rule(number("unit_cost"))
    unit_cost_negative = rule(without("unit_cost", BELOW_ZERO))
    unit_cost_too_precise = rule(without("unit_cost", TOO_PRECISE))
    unit_cost_out_of_range = rule(without("unit_cost", TOO_BIG))
    duplicate_row = rule(_NOT_REPEATED)


class CustomerContract(_Row):
    """A customer's attributes."""

    customer_id = _text()

    customer_id_missing = rule(given("customer_id"))
    customer_id_too_long = rule(short("customer_id", ID_CHARACTERS))
    duplicate_row = rule(_NOT_REPEATED)
