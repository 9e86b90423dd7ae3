"""A real year of sales gives its reference figures whatever program has exported it."""

import gzip
import json
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.landing.batches import deliver
from pipeline.landing.checking import FileOutcome, read_and_check
from pipeline.landing.copying import EncodedChunk
from tests.pipeline.landing.calls import request_of
from tests.pipeline.landing.retail_dialects import DIALECTS

_MICRO = 10**6


@pytest.fixture(scope="module")
def retail(test_data: Path) -> pl.DataFrame:
    """The lines as text."""
    data = gzip.decompress((test_data / "online_retail.csv.gz").read_bytes())
    return pl.read_csv(data, infer_schema=False, empty_string_is_null=False)


@pytest.fixture(scope="module")
def reference(test_data: Path) -> dict[str, Any]:
    """The figures, computed elsewhere."""
    found: dict[str, Any] = json.loads((test_data / "online_retail.reference.json").read_text())
    return found


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_gives_the_reference_figures(
    retail: pl.DataFrame, reference: dict[str, Any], tmp_path: Path, name: str
) -> None:
    write, said = DIALECTS[name]
    path = tmp_path / "sales"
    write(path, retail)
    outcome, lines = landed(path, said)
    assert outcome.refusal is None
    assert outcome.tally.rows_read == reference["rows_read"]
    assert dict(outcome.tally.reasons) == {
        "duplicate_row": reference["duplicate_row"],
        "unit_price_negative": reference["negative_price"],
    }
    figures = reference["default (duplicates quarantined)"]
    expected = {name: _exact(value) for name, value in figures.items() if name not in NOT_COMPARED}
    assert figures_of(lines) == expected


# Discounts and shipping are 0, and there is one category.
NOT_COMPARED = ("discounts", "shipping", "net_by_category")


def landed(path: Path, said: dict[str, Any]) -> tuple[FileOutcome, pl.DataFrame]:
    """What reading the file came to, and the lines as they would be copied into the warehouse."""
    parts: list[pl.DataFrame] = []

    def keep(chunk: EncodedChunk) -> None:
        tables = {table: (columns, data) for table, columns, data in chunk.tables}
        columns, data = tables["order_lines"]
        read = pl.read_csv(
            BytesIO(data),
            has_header=False,
            new_columns=list(columns),
            infer_schema=False,
            separator="\t",
            quote_char=None,
            null_values="\\N",
        )
        parts.append(read.select(FIGURE_COLUMNS))

    outcome = read_and_check(deliver(path, None), request_of((path,), **said), 1, keep, lambda _: None)
    return outcome, pl.concat(parts)


FIGURE_COLUMNS = (
    "order_id",
    "product_id",
    "customer_id",
    "region",
    "sale_date",
    "quantity",
    "unit_price",
    "discount",
)


def figures_of(lines: pl.DataFrame) -> dict[str, Any]:
    """The reference's figures of these lines, in exact arithmetic: millionths of the currency."""
    assert lines["discount"].cast(pl.Float64).sum() == 0
    price = (pl.col("unit_price").cast(pl.Decimal(18, 6)) * _MICRO).cast(pl.Int64)
    quantity = pl.col("quantity").cast(pl.Int64)
    lines = lines.with_columns(quantity, net=quantity * price, month=pl.col("sale_date").str.head(7))
    sales, returns = lines.filter(pl.col("quantity") > 0), lines.filter(pl.col("quantity") < 0)
    units = lines.group_by("product_id").agg(pl.col("quantity").sum())
    return {
        "lines": lines.height,
        "documents": lines["order_id"].n_unique(),
        "customers_seen": lines["customer_id"].drop_nulls().n_unique(),
        "orders": sales["order_id"].n_unique(),
        "customers": sales["customer_id"].drop_nulls().n_unique(),
        "units": sales["quantity"].sum(),
        "units_returned": -returns["quantity"].sum(),
        "gross_revenue": _money(sales["net"].sum()),
        "returns": _money(-returns["net"].sum()),
        "net_revenue": _money(lines["net"].sum()),
        "net_by_region": _net_by(lines, "region"),
        "net_by_month": _net_by(lines, "month"),
        "top_10_products_by_net_units": [
            list(row) for row in units.sort("quantity", descending=True).head(10).iter_rows()
        ],
    }


def _net_by(lines: pl.DataFrame, name: str) -> dict[str, Decimal]:
    return {key: _money(net) for key, net in lines.group_by(name).agg(pl.col("net").sum()).iter_rows()}


def _money(micro: Any) -> Decimal:
    assert isinstance(micro, int)
    return Decimal(micro) / _MICRO


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: Decimal(amount) for key, amount in value.items()}
    return Decimal(value) if isinstance(value, str) else value
