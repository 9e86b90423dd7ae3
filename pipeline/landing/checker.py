"""From the text of a chunk to what is stored of it. Remembers what later chunks need."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.contract import OrderLineContract
from pipeline.landing.keys import version_keys
from pipeline.landing.models import Reporting
from pipeline.landing.quarantine import QuarantinedRow, quarantined_rows
from pipeline.landing.seen import KnownVersions, PairCounts, SeenRows, group
from pipeline.landing.tally import Tally
from pipeline.landing.values import extra_values, named_values
from pipeline.sources import SourceSettings

_PRODUCT = ("product_id", "product_name", "category")
_CUSTOMER = ("customer_id", "customer_name", "customer_email", "customer_address")
_LINE = (
    "row_number",
    "occurrence",
    "sale_day",
    "quantity_number",
    "product_key",
    "customer_key",
    "order_id",
    "product_id",
    "customer_id",
    "region",
    "payment_method",
    "unit_price",
    "discount",
    "shipping",
    "unit_cost",
    "line_id",
    "line_discount",
    "order_shipping",
    "tax",
    "tax_rate",
    "prices_include_tax",
    "extra",
)
_CONTRACT_COLUMNS = tuple(OrderLineContract.column_names())


@dataclass(frozen=True)
class CheckedChunk:
    """What a chunk adds to the raw tables: frames whose columns are the tables', without batch_id."""

    lines: pl.DataFrame
    products: pl.DataFrame
    customers: pl.DataFrame
    quarantine: list[QuarantinedRow]
    tally: Tally


class BatchChecker:
    """Checks the chunks of one file, in order."""

    def __init__(
        self, columns: ColumnMap, settings: SourceSettings, reporting: Reporting | None = None
    ) -> None:
        self._columns, self._settings = columns, settings
        self._reporting = reporting or Reporting()
        self._seen_rows = SeenRows() if settings.duplicate_rows == "quarantine" else None
        self._pairs = PairCounts()
        self._line_ids = PairCounts()
        self._products = KnownVersions()
        self._customers = KnownVersions()

    def check(self, chunk: Chunk) -> CheckedChunk:
        """Split a chunk into what is accepted and what is quarantined."""
        rows_read = chunk.text.height
        repeats = self._repeats(chunk)
        values = named_values(chunk, self._columns, repeats, self._settings, self._reporting)
        occurrences = self._numbered(values, "product_id", self._pairs).alias("occurrence")
        values = values.with_columns(occurrences, self._line_id_numbers(values))
        good, failures = OrderLineContract.filter(values.select(_CONTRACT_COLUMNS))
        quarantine = quarantined_rows(failures.details(), values, chunk)
        accepted = values
        if good.height < rows_read:
            kept = good["position"]
            accepted = values[kept]
            chunk = Chunk(chunk.text[kept], chunk.row_number, chunk.damage, chunk.raw_text)
        accepted = accepted.with_columns(extra_values(chunk.text, self._columns))
        return self._split(accepted, quarantine, rows_read)

    def _repeats(self, chunk: Chunk) -> npt.NDArray[np.bool_]:
        repeats = np.zeros(chunk.text.height, dtype=np.bool_)
        if self._seen_rows is None:
            return repeats
        # A row with damage is never called a duplicate: not all of it could be compared.
        whole = chunk.damage == 0
        first, second = _hashes(chunk.text)
        repeats[whole] = self._seen_rows.repeats(first[whole], second[whole])
        return repeats

    def _line_id_numbers(self, values: pl.DataFrame) -> pl.Series:
        """The how-manieth row of its order each one is with its line id; null in a file without line ids."""
        if "line_id" not in self._columns.positions:
            return pl.Series("line_id_number", [None] * values.height, dtype=pl.Int32)
        return self._numbered(values, "line_id", self._line_ids).alias("line_id_number")

    def _numbered(self, values: pl.DataFrame, within_order: str, counts: PairCounts) -> pl.Series:
        """The 1-based number of each row among those with equal pairs of order and this; 0 without one."""
        keys = values.select("order_id", within_order)
        has_key = values.select(
            (pl.col("order_id") != "").fill_null(value=False)
            & (pl.col(within_order) != "").fill_null(value=False)
        ).to_series()
        pairs = keys.hash_rows(seed=3).to_numpy()
        if has_key.all():
            return pl.Series(counts.occurrences(pairs))
        mask = has_key.to_numpy()
        numbers = np.zeros(len(pairs), dtype=np.int32)
        numbers[mask] = counts.occurrences(pairs[mask])
        return pl.Series(numbers)

    def _split(
        self, accepted: pl.DataFrame, quarantine: list[QuarantinedRow], rows_read: int
    ) -> CheckedChunk:
        product_keys, products = _versions(self._products, accepted.select("row_number", *_PRODUCT))
        is_known = accepted["customer_id"] != ""
        buyers = accepted.select("row_number", *_CUSTOMER).filter(is_known)
        customer_keys = np.zeros(accepted.height, dtype=np.int64)
        customer_keys[is_known.to_numpy()], customers = _versions(self._customers, buyers)
        lines = accepted.with_columns(
            pl.Series("product_key", product_keys),
            pl.when(is_known).then(pl.Series(customer_keys)).alias("customer_key"),
            _blank_as_null("customer_id"),
            *(_blank_as_null(name) for name in ("unit_cost", "tax", "tax_rate")),
        )
        return CheckedChunk(
            lines=lines.select(_LINE),
            products=products.rename({"key": "product_key"}),
            customers=customers.rename({"key": "customer_key"}),
            quarantine=quarantine,
            tally=_tally(accepted, quarantine, rows_read),
        )


def _tally(accepted: pl.DataFrame, quarantine: list[QuarantinedRow], rows_read: int) -> Tally:
    # The rows read are counted where they come in, so that a row lost on the way is found out.
    first, last = accepted.select(
        pl.col("sale_day").min().alias("first"), pl.col("sale_day").max().alias("last")
    ).row(0)
    return Tally(
        rows_read=rows_read,
        rows_accepted=accepted.height,
        rows_quarantined=len(quarantine),
        reasons=Counter(row.reasons[0] for row in quarantine),
        first_sale_date=first,
        last_sale_date=last,
    )


def _blank_as_null(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)


def _hashes(frame: pl.DataFrame) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    return frame.hash_rows(seed=1).to_numpy(), frame.hash_rows(seed=2).to_numpy()


def _versions(known: KnownVersions, rows: pl.DataFrame) -> tuple[npt.NDArray[np.int64], pl.DataFrame]:
    """Each row's version key, and the versions that the batch has not had before.

    ``rows`` has the row's number, then the columns that make a version.
    """
    columns = rows.columns[1:]
    first, second = _hashes(rows.select(columns))
    groups = group(first, second)
    firsts, seconds = first[groups.firsts], second[groups.firsts]
    is_known, keys = known.find(firsts, seconds)
    new = rows[groups.firsts[~is_known]].with_columns(_blank_as_null(name) for name in columns)
    new_keys = version_keys(new.select(columns).iter_rows())
    keys[~is_known] = new_keys
    known.add(firsts[~is_known], seconds[~is_known], new_keys)
    return keys[groups.inverse], new.insert_column(1, pl.Series("key", new_keys))
