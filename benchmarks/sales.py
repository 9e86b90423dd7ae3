"""The files that are measured: the sample's lines, spread over as many days as a benchmark wants."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipeline.sample import sample_chunks

LAST_DAY = date(2025, 12, 31)


def write_history(path: Path, *, rows: int, per_day: int, seed: int = 1) -> None:
    """``rows`` lines, ``per_day`` of them on each day up to the last one; orders by their sample's number."""
    first_day = LAST_DAY - timedelta(days=(rows - 1) // per_day)
    written = 0
    with path.open("wb") as file:
        for chunk in sample_chunks(rows, seed):
            day = (pl.int_range(pl.len()) + written) // per_day
            dated = chunk.with_columns(
                (pl.lit(first_day) + pl.duration(days=day)).dt.to_string("iso").alias("Date of Sale")
            )
            dated.write_csv(file, include_header=written == 0)
            written += chunk.height


def write_new_lines(path: Path, *, rows: int, days: int, number: int) -> None:
    """``rows`` lines of new orders, evenly over the last ``days`` days; ``number`` tells files apart."""
    lines = pl.concat(sample_chunks(rows, seed=1_000 + number))
    day = pl.int_range(pl.len()) * days // rows
    first_day = LAST_DAY - timedelta(days=days - 1)
    lines.with_columns(
        pl.format("N{}-{}", pl.lit(number), "Order ID").alias("Order ID"),
        (pl.lit(first_day) + pl.duration(days=day)).dt.to_string("iso").alias("Date of Sale"),
    ).write_csv(path)


def write_corrections(history: Path, path: Path, *, rows: int, number: int) -> None:
    """``rows`` lines of a history, evenly from all of it, each with another price."""
    lines = pl.scan_csv(history, infer_schema=False).with_row_index()
    total = int(lines.select(pl.len()).collect().item())
    step = total // rows
    chosen = lines.filter(pl.col("index") % step == number % step).head(rows).drop("index")
    price = (pl.col("Unit Price").cast(pl.Decimal(18, 2)) + pl.lit(number + 1)).cast(pl.String)
    chosen.with_columns(price.alias("Unit Price")).collect().write_csv(path)


def write_shuffled(history: Path, path: Path, *, number: int) -> None:
    """The same lines in another order, one of them at another price."""
    lines = pl.read_csv(history, infer_schema=False)
    shuffled = lines.sample(fraction=1, shuffle=True, seed=number)
    first = pl.int_range(pl.len()) == 0
    price = pl.when(first).then(pl.lit(f"{number + 1}.01")).otherwise("Unit Price")
    shuffled.with_columns(price.alias("Unit Price")).write_csv(path)
