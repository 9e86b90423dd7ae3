"""A chunk's text under our own names: trimmed, with defaults, beside what is parsed from it."""

import polars as pl

from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.dates import ISO
from pipeline.landing.meaning import meanings
from pipeline.landing.models import Reporting
from pipeline.landing.numerals import plain_numbers
from pipeline.landing.zones import sale_days
from pipeline.sources import COLUMNS, ONLY_WHEN_MAPPED, SourceSettings

UNSPECIFIED = "Unspecified"
# What a blank (or a column that the file lacks) means. The others stay blank.
_BLANK_MEANS = {
    "category": UNSPECIFIED,
    "region": UNSPECIFIED,
    "payment_method": UNSPECIFIED,
    "discount": "0",
    "shipping": "0",
}
# What a file says of a product or a customer, and the contract does not judge.
ATTRIBUTES = ("product_name", "customer_name", "customer_email", "customer_address")
_DIGITS_BEFORE_POINT_ZERO = r"^([+-]?[0-9]+)\.0*$"


def named_values(
    chunk: Chunk, columns: ColumnMap, settings: SourceSettings, reporting: Reporting
) -> pl.DataFrame:
    """The columns that the contract judges, and the rest of ours, one row for each of the chunk's.

    ``ATTRIBUTES`` are as they are in the file: they are trimmed once for all rows that have the same.
    """
    date_format = settings.date_format or ISO
    frame = _with_defaults(
        chunk.text.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("position"),
            pl.Series("row_number", chunk.row_number),
            pl.Series("damage", chunk.damage),
            *(_text(name, columns) for name in COLUMNS),
        ),
        settings,
    ).with_columns(plain_numbers(settings))
    dates = frame["sale_date"].unique()
    days = sale_days(dates, date_format, settings.time_zone, reporting.time_zone)
    frame = frame.with_columns(
        pl.col("sale_date").replace_strict(dates, days, return_dtype=pl.Date).cast(pl.Date).alias("sale_day"),
        pl.col("quantity").cast(pl.Int64, strict=False).alias("quantity_number"),
    )
    if date_format != ISO:
        # From here on a date is judged as the same date in ISO.
        iso = pl.coalesce(pl.col("sale_day").cast(pl.String), pl.col("sale_date"))
        frame = frame.with_columns(iso.alias("sale_date"))
    if frame["quantity_number"].null_count():
        whole = pl.col("quantity").str.replace(_DIGITS_BEFORE_POINT_ZERO, "${1}").cast(pl.Int64, strict=False)
        frame = frame.with_columns(whole.alias("quantity_number"))
    if settings.negative_quantity == "sale":
        # The till writes a sale as what leaves its stock.
        frame = frame.with_columns(-pl.col("quantity_number"))
    return frame.with_columns(meanings(columns, settings, reporting.currency))


def _text(name: str, columns: ColumnMap) -> pl.Expr:
    if name == ONLY_WHEN_MAPPED and name not in columns.positions:
        return pl.lit(None, dtype=pl.String).alias(name)
    if name not in columns.positions:
        return pl.lit(columns.constants.get(name, "")).alias(name)
    text = pl.col(str(columns.positions[name]))
    return (text if name in ATTRIBUTES else text.str.strip_chars()).alias(name)


def _with_defaults(frame: pl.DataFrame, settings: SourceSettings) -> pl.DataFrame:
    """The frame with what blanks mean; columns without any stay as they are."""
    meant = dict(_BLANK_MEANS)
    if settings.shipping == "per_order":
        # What is blank on one line of an order stands on another.
        del meant["shipping"]
    has_blanks = frame.select((pl.col(name) == "").any() for name in meant).row(0, named=True)
    return frame.with_columns(
        pl.when(pl.col(name) == "").then(pl.lit(meaning)).otherwise(name).alias(name)
        for name, meaning in meant.items()
        if has_blanks[name]
    )


def extra_values(text: pl.DataFrame, columns: ColumnMap) -> pl.Series:
    """The columns that are not ours as JSON objects of their non-blank values; null where none is."""
    if not columns.extra:
        return pl.Series("extra", [None] * text.height, dtype=pl.String)
    members = []
    for title, position in columns.extra.items():
        value = pl.col(str(position)).str.strip_chars()
        member = pl.struct(value.alias(title)).struct.json_encode().str.head(-1).str.tail(-1)
        members.append(pl.when(value != "").then(member))
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return text.select(
        pl.when(joined != "").then(pl.concat_str(pl.lit("{"), joined, pl.lit("}"))).alias("extra")
    ).to_series()
