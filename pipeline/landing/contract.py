"""The contract of an order line. A rule's name is its public code, in the order of reporting.

A rule that is null counts as kept, so a value that could not be told breaks no rule of its
own. Numbers are judged on their text: nothing is ever rounded or made a float.
"""

import dataframely as dy
import polars as pl

from pipeline.landing.chunks import Damage
from pipeline.landing.rules import BELOW_ZERO as _BELOW_ZERO
from pipeline.landing.rules import DATE as _DATE
from pipeline.landing.rules import DUPLICATE, ID_CHARACTERS, LABEL_CHARACTERS, MAX_QUANTITY
from pipeline.landing.rules import INTEGER as _INTEGER
from pipeline.landing.rules import NUMBER as _NUMBER
from pipeline.landing.rules import TOO_BIG as _TOO_BIG
from pipeline.landing.rules import TOO_PRECISE as _TOO_PRECISE
from pipeline.landing.rules import UP_TO_ONE as _UP_TO_ONE
from pipeline.landing.rules import between_years as _between_years
from pipeline.landing.rules import given as _given
from pipeline.landing.rules import number as _number
from pipeline.landing.rules import short as _short
from pipeline.landing.rules import undamaged as _undamaged
from pipeline.landing.rules import without as _without

__all__ = ["DUPLICATE", "ID_CHARACTERS", "OrderLineContract"]


class OrderLineContract(dy.Schema):
    """One row of the feed ``order_lines``: trimmed text, beside what was parsed from it."""

    position = dy.UInt32(nullable=True)
    damage = dy.UInt16(nullable=True)
    is_repeat = dy.Bool(nullable=True)
    order_id = dy.String(nullable=True)
    product_id = dy.String(nullable=True)
    customer_id = dy.String(nullable=True)
    store_id = dy.String(nullable=True)
    category = dy.String(nullable=True)
    region = dy.String(nullable=True)
    payment_method = dy.String(nullable=True)
    sale_date = dy.String(nullable=True)
    sale_day = dy.Date(nullable=True)
    quantity = dy.String(nullable=True)
    quantity_number = dy.Int64(nullable=True)
    unit_price = dy.String(nullable=True)
    discount = dy.String(nullable=True)
    shipping = dy.String(nullable=True)
    unit_cost = dy.String(nullable=True)
    line_id = dy.String(nullable=True)
    line_id_number = dy.Int32(nullable=True)
    discount_amount = dy.String(nullable=True)
    discount_fits = dy.Bool(nullable=True)
    order_shipping = dy.String(nullable=True)
    tax = dy.String(nullable=True)
    tax_rate = dy.String(nullable=True)
    tax_fits = dy.Bool(nullable=True)
    tax_is_stated = dy.Bool(nullable=True)
    quantity_is_allowed = dy.Bool(nullable=True)
    currency_is_ours = dy.Bool(nullable=True)

    @dy.rule()
    def repeated_header(cls) -> pl.Expr:
        return _undamaged(Damage.REPEATED_HEADER)

    @dy.rule()
    def row_too_long(cls) -> pl.Expr:
        return _undamaged(Damage.ROW_TOO_LONG)

    @dy.rule()
    def unclosed_quote(cls) -> pl.Expr:
        return _undamaged(Damage.UNCLOSED_QUOTE)

    @dy.rule()
    def malformed_quotes(cls) -> pl.Expr:
        return _undamaged(Damage.MALFORMED_QUOTES)

    @dy.rule()
    def stray_carriage_return(cls) -> pl.Expr:
        return _undamaged(Damage.STRAY_CARRIAGE_RETURN)

    @dy.rule()
    def too_few_fields(cls) -> pl.Expr:
        return _undamaged(Damage.TOO_FEW_FIELDS)

    @dy.rule()
    def too_many_fields(cls) -> pl.Expr:
        return _undamaged(Damage.TOO_MANY_FIELDS)

    @dy.rule()
    def invalid_utf8(cls) -> pl.Expr:
        return _undamaged(Damage.INVALID_UTF8)

    @dy.rule()
    def nul_character(cls) -> pl.Expr:
        return _undamaged(Damage.NUL_CHARACTER)

    @dy.rule()
    def malformed_json(cls) -> pl.Expr:
        return _undamaged(Damage.MALFORMED_JSON)

    @dy.rule()
    def order_id_missing(cls) -> pl.Expr:
        return _given("order_id")

    @dy.rule()
    def order_id_too_long(cls) -> pl.Expr:
        return _short("order_id", ID_CHARACTERS)

    @dy.rule()
    def product_id_missing(cls) -> pl.Expr:
        return _given("product_id")

    @dy.rule()
    def product_id_too_long(cls) -> pl.Expr:
        return _short("product_id", ID_CHARACTERS)

    @dy.rule()
    def customer_id_too_long(cls) -> pl.Expr:
        return _short("customer_id", ID_CHARACTERS)

    @dy.rule()
    def store_id_too_long(cls) -> pl.Expr:
        return _short("store_id", ID_CHARACTERS)

    @dy.rule()
    def category_too_long(cls) -> pl.Expr:
        return _short("category", LABEL_CHARACTERS)

    @dy.rule()
    def region_too_long(cls) -> pl.Expr:
        return _short("region", LABEL_CHARACTERS)

    @dy.rule()
    def payment_method_too_long(cls) -> pl.Expr:
        return _short("payment_method", LABEL_CHARACTERS)

    @dy.rule()
    def sale_date_missing(cls) -> pl.Expr:
        return _given("sale_date")

    @dy.rule()
    def sale_date_invalid(cls) -> pl.Expr:
        is_date = pl.col("sale_date").str.contains(_DATE) & pl.col("sale_day").is_not_null()
        return ~_given("sale_date") | is_date

    @dy.rule()
    def sale_date_out_of_range(cls) -> pl.Expr:
        return _between_years(pl.col("sale_day")) | ~pl.col("sale_date").str.contains(_DATE)

    @dy.rule()
    def quantity_missing(cls) -> pl.Expr:
        return _given("quantity")

    @dy.rule()
    def quantity_not_integer(cls) -> pl.Expr:
        return ~_given("quantity") | pl.col("quantity").str.contains(_INTEGER)

    @dy.rule()
    def quantity_zero(cls) -> pl.Expr:
        return pl.col("quantity_number") != 0

    @dy.rule()
    def quantity_out_of_range(cls) -> pl.Expr:
        in_range = pl.col("quantity_number").is_between(-MAX_QUANTITY, MAX_QUANTITY).fill_null(value=False)
        return in_range | ~pl.col("quantity").str.contains(_INTEGER)

    @dy.rule()
    def quantity_negative(cls) -> pl.Expr:
        return pl.col("quantity_is_allowed")

    @dy.rule()
    def unit_price_missing(cls) -> pl.Expr:
        return _given("unit_price")

    @dy.rule()
    def unit_price_invalid(cls) -> pl.Expr:
        return _number("unit_price")

    @dy.rule()
    def unit_price_negative(cls) -> pl.Expr:
        return _without("unit_price", _BELOW_ZERO)

    @dy.rule()
    def unit_price_too_precise(cls) -> pl.Expr:
        return _without("unit_price", _TOO_PRECISE)

    @dy.rule()
    def unit_price_out_of_range(cls) -> pl.Expr:
        return _without("unit_price", _TOO_BIG)

    @dy.rule()
    def discount_invalid(cls) -> pl.Expr:
        return _number("discount") & _number("discount_amount")

    @dy.rule()
    def discount_out_of_range(cls) -> pl.Expr:
        is_share = pl.col("discount").str.contains(_UP_TO_ONE) | _without("discount", _NUMBER)
        is_amount = _without("discount_amount", _BELOW_ZERO) & _without("discount_amount", _TOO_BIG)
        return is_share & is_amount & pl.col("discount_fits")

    @dy.rule()
    def discount_too_precise(cls) -> pl.Expr:
        return _without("discount", _TOO_PRECISE) & _without("discount_amount", _TOO_PRECISE)

    @dy.rule()
    def shipping_invalid(cls) -> pl.Expr:
        return _number("shipping") & _number("order_shipping")

    @dy.rule()
    def shipping_negative(cls) -> pl.Expr:
        return _without("shipping", _BELOW_ZERO) & _without("order_shipping", _BELOW_ZERO)

    @dy.rule()
    def shipping_too_precise(cls) -> pl.Expr:
        return _without("shipping", _TOO_PRECISE) & _without("order_shipping", _TOO_PRECISE)

    @dy.rule()
    def shipping_out_of_range(cls) -> pl.Expr:
        return _without("shipping", _TOO_BIG) & _without("order_shipping", _TOO_BIG)

    @dy.rule()
    def unit_cost_invalid(cls) -> pl.Expr:
        return _number("unit_cost")

    @dy.rule()
    def unit_cost_negative(cls) -> pl.Expr:
        return _without("unit_cost", _BELOW_ZERO)

    @dy.rule()
    def unit_cost_too_precise(cls) -> pl.Expr:
        return _without("unit_cost", _TOO_PRECISE)

    @dy.rule()
    def unit_cost_out_of_range(cls) -> pl.Expr:
        return _without("unit_cost", _TOO_BIG)

    @dy.rule()
    def tax_missing(cls) -> pl.Expr:
        return pl.col("tax_is_stated")

    @dy.rule()
    def tax_invalid(cls) -> pl.Expr:
        return _number("tax")

    @dy.rule()
    def tax_out_of_range(cls) -> pl.Expr:
        return _without("tax", _TOO_BIG) & pl.col("tax_fits")

    @dy.rule()
    def tax_too_precise(cls) -> pl.Expr:
        return _without("tax", _TOO_PRECISE)

    @dy.rule()
    def tax_rate_invalid(cls) -> pl.Expr:
        return _number("tax_rate")

    @dy.rule()
    def tax_rate_out_of_range(cls) -> pl.Expr:
        is_share = pl.col("tax_rate").str.contains(_UP_TO_ONE) | _without("tax_rate", _NUMBER)
        return ~_given("tax_rate") | is_share

    @dy.rule()
    def tax_rate_too_precise(cls) -> pl.Expr:
        return _without("tax_rate", _TOO_PRECISE)

    @dy.rule()
    def currency_other(cls) -> pl.Expr:
        return pl.col("currency_is_ours")

    @dy.rule()
    def line_id_missing(cls) -> pl.Expr:
        return _given("line_id")

    @dy.rule()
    def line_id_too_long(cls) -> pl.Expr:
        return _short("line_id", ID_CHARACTERS)

    @dy.rule()
    def line_id_repeated(cls) -> pl.Expr:
        return (pl.col("line_id_number") <= 1) | pl.col("is_repeat")

    @dy.rule()
    def duplicate_row(cls) -> pl.Expr:
        return ~pl.col("is_repeat")
