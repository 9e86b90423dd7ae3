"""From the text of a chunk to what is stored of it. Remembers what later chunks need."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass

import dataframely as dy
import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.landing.chunks import Chunk
from pipeline.landing.columns import ColumnMap
from pipeline.landing.contract import OrderLineContract
from pipeline.landing.keys import version_keys
from pipeline.landing.models import Reporting
from pipeline.landing.plain import plainly_kept
from pipeline.landing.quarantine import QuarantinedRow, quarantined_rows
from pipeline.landing.seen import Hashes, KnownVersions, PairCounts, SeenRows, group
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
    "store_id",
    "line_id",
    "line_discount",
    "order_shipping",
    "tax",
    "tax_rate",
    "prices_include_tax",
    "extra",
)


@dataclass(frozen=True)
class CheckedChunk:
    """What a chunk adds to the raw tables: frames whose columns are the tables', without batch_id."""

    tables: tuple[tuple[str, pl.DataFrame], ...]
    quarantine: list[QuarantinedRow]
    tally: Tally

    def table(self, name: str) -> pl.DataFrame:
        """What it adds to one of the tables of its feed."""
        return dict(self.tables)[name]


class RowChecker(ABC):
    """Checks the chunks of one file, in order, by the contract of its feed."""

    contract: type[dy.Schema]

    def __init__(
        self, columns: ColumnMap, settings: SourceSettings, reporting: Reporting | None = None
    ) -> None:
        self._columns, self._settings = columns, settings
        self._reporting = reporting or Reporting()
        self._seen_rows = SeenRows() if settings.duplicate_rows == "quarantine" else None

    @abstractmethod
    def values(self, chunk: Chunk) -> pl.DataFrame:
        """What the contract judges (``is_repeat`` apart) and the tables need, a row for each of the chunk."""

    @abstractmethod
    def tables(self, accepted: pl.DataFrame) -> tuple[tuple[str, pl.DataFrame], ...]:
        """What accepted rows add to each raw table."""

    def check(self, chunk: Chunk) -> CheckedChunk:
        """Split a chunk into what is accepted and what is quarantined."""
        rows_read = chunk.text.height
        values = self.values(chunk)
        values = values.with_columns(pl.Series("is_repeat", self._repeats(chunk, values)))
        is_kept = self.plainly_kept(values)
        quarantine: list[QuarantinedRow] = []
        accepted = values
        if not is_kept.all():
            doubtful = values.select(self.contract.column_names()).filter(~is_kept)
            good, failures = self.contract.filter(doubtful)
            is_kept[good["position"].to_numpy()] = True
            quarantine = quarantined_rows(failures.details(), values, chunk, self.contract)
            kept = pl.Series(np.flatnonzero(is_kept))
            accepted = values[kept]
            chunk = Chunk(chunk.text[kept], chunk.row_number, chunk.damage, chunk.raw_text)
        accepted = accepted.with_columns(extra_values(chunk.text, self._columns))
        return CheckedChunk(self.tables(accepted), quarantine, _tally(accepted, quarantine, rows_read))

    def plainly_kept(self, values: pl.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows that surely keep the contract; the others are tried."""
        return np.zeros(values.height, dtype=np.bool_)

    def hashes(self, chunk: Chunk, values: pl.DataFrame) -> tuple[Hashes, Hashes]:
        """128 bits of hash of each row."""
        return _hashes(chunk.text)

    def may_repeat(self, values: pl.DataFrame) -> bool:
        """Whether any of the rows may equal an earlier one."""
        return True

    def _repeats(self, chunk: Chunk, values: pl.DataFrame) -> npt.NDArray[np.bool_]:
        repeats = np.zeros(chunk.text.height, dtype=np.bool_)
        if self._seen_rows is None:
            return repeats
        # A row with damage is never called a duplicate: not all of it could be compared.
        whole = chunk.damage == 0
        first, second = self.hashes(chunk, values)
        if self.may_repeat(values):
            repeats[whole] = self._seen_rows.repeats(first[whole], second[whole])
        else:
            self._seen_rows.add_new(first[whole], second[whole])
        return repeats


class BatchChecker(RowChecker):
    """Checks order lines."""

    contract = OrderLineContract

    def __init__(
        self, columns: ColumnMap, settings: SourceSettings, reporting: Reporting | None = None
    ) -> None:
        super().__init__(columns, settings, reporting)
        self._pairs = PairCounts()
        self._line_ids = PairCounts()
        self._products = KnownVersions()
        self._customers = KnownVersions()

    def plainly_kept(self, values: pl.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows of which a glance tells that they keep the contract."""
        return plainly_kept(values)

    def hashes(self, chunk: Chunk, values: pl.DataFrame) -> tuple[Hashes, Hashes]:
        """One of all text, and one of the order and its product: rows that are equal have equal ones."""
        return chunk.text.hash_rows(seed=1).to_numpy(), _pairs(values, "product_id")

    def may_repeat(self, values: pl.DataFrame) -> bool:
        """A row that equals an earlier one has its order and product, too."""
        return bool((values["occurrence"] != 1).any())

    def values(self, chunk: Chunk) -> pl.DataFrame:
        """The rows under our names, with the number of each among its equals."""
        values = named_values(chunk, self._columns, self._settings, self._reporting)
        occurrences = self._numbered(values, "product_id", self._pairs).alias("occurrence")
        return values.with_columns(occurrences, self._line_id_numbers(values))

    def _line_id_numbers(self, values: pl.DataFrame) -> pl.Series:
        """The how-manieth row of its order each one is with its line id; null in a file without line ids."""
        if "line_id" not in self._columns.positions:
            return pl.Series("line_id_number", [None] * values.height, dtype=pl.Int32)
        return self._numbered(values, "line_id", self._line_ids).alias("line_id_number")

    def _numbered(self, values: pl.DataFrame, within_order: str, counts: PairCounts) -> pl.Series:
        """The 1-based number of each row among those with equal pairs of order and this; 0 without one."""
        has_key = values.select(
            (pl.col("order_id") != "").fill_null(value=False)
            & (pl.col(within_order) != "").fill_null(value=False)
        ).to_series()
        pairs = _pairs(values, within_order)
        if has_key.all():
            return pl.Series(counts.occurrences(pairs))
        mask = has_key.to_numpy()
        numbers = np.zeros(len(pairs), dtype=np.int32)
        numbers[mask] = counts.occurrences(pairs[mask])
        return pl.Series(numbers)

    def tables(self, accepted: pl.DataFrame) -> tuple[tuple[str, pl.DataFrame], ...]:
        """The lines, and the versions of products and customers that the batch has not had before."""
        product_keys, products = _versions(self._products, accepted.select("row_number", *_PRODUCT))
        is_known = accepted["customer_id"] != ""
        buyers = accepted.select("row_number", *_CUSTOMER).filter(is_known)
        customer_keys = np.zeros(accepted.height, dtype=np.int64)
        customer_keys[is_known.to_numpy()], customers = _versions(self._customers, buyers)
        lines = accepted.with_columns(
            pl.Series("product_key", product_keys),
            pl.when(is_known).then(pl.Series(customer_keys)).alias("customer_key"),
            *(blank_as_null(name) for name in ("customer_id", "unit_cost", "store_id", "tax", "tax_rate")),
        )
        return (
            ("order_lines", lines.select(_LINE)),
            ("products", products.rename({"key": "product_key"})),
            ("customers", customers.rename({"key": "customer_key"})),
        )


def _tally(accepted: pl.DataFrame, quarantine: list[QuarantinedRow], rows_read: int) -> Tally:
    # The rows read are counted where they come in, so that a row lost on the way is found out.
    first = last = None
    if "sale_day" in accepted.columns:
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


def blank_as_null(name: str) -> pl.Expr:
    """A text column, null where it is blank."""
    return pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)


def _hashes(frame: pl.DataFrame) -> tuple[Hashes, Hashes]:
    return frame.hash_rows(seed=1).to_numpy(), frame.hash_rows(seed=2).to_numpy()


def _pairs(values: pl.DataFrame, within_order: str) -> Hashes:
    return values.select("order_id", within_order).hash_rows(seed=3).to_numpy()


def _versions(known: KnownVersions, rows: pl.DataFrame) -> tuple[npt.NDArray[np.int64], pl.DataFrame]:
    """Each row's version key, and the versions that the batch has not had before.

    ``rows`` has the row's number, then the columns that make a version.
    """
    columns = rows.columns[1:]
    # Most rows say the same as another one: what follows looks at one of each.
    same_as = rows.with_row_index("at").select(pl.col("at").first().over(columns)).to_series().to_numpy()
    different = np.flatnonzero(same_as == np.arange(rows.height))
    rows = rows[different].with_columns(pl.col(columns).str.strip_chars())
    first, second = _hashes(rows.select(columns))
    groups = group(first, second)
    firsts, seconds = first[groups.firsts], second[groups.firsts]
    is_known, keys = known.find(firsts, seconds)
    new = rows[groups.firsts[~is_known]].with_columns(blank_as_null(name) for name in columns)
    new_keys = version_keys(new.select(columns).iter_rows())
    keys[~is_known] = new_keys
    known.add(firsts[~is_known], seconds[~is_known], new_keys)
    keys_of_rows = np.zeros(len(same_as), dtype=np.int64)
    keys_of_rows[different] = keys[groups.inverse]
    return keys_of_rows[same_as], new.insert_column(1, pl.Series("key", new_keys))
