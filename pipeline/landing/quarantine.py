"""The rows that broke the contract, with everything that is wrong with them."""

from dataclasses import dataclass

import dataframely as dy
import polars as pl

from pipeline.landing.chunks import Chunk
from pipeline.landing.contract import ID_CHARACTERS

_KEY = ("order_id", "product_id", "occurrence", "line_id")


@dataclass(frozen=True)
class QuarantinedRow:
    """A row as it is in the file, and every rule it breaks, in the contract's order.

    ``order_id``, ``product_id`` and ``occurrence`` are there when the row's key could be read; in a
    file with line ids the key is the order's and the line's.
    """

    row_number: int
    reasons: tuple[str, ...]
    raw_text: str
    order_id: str | None
    product_id: str | None
    occurrence: int | None
    line_id: str | None = None


def quarantined_rows(
    details: pl.DataFrame, values: pl.DataFrame, chunk: Chunk, contract: type[dy.Schema]
) -> list[QuarantinedRow]:
    """The failing rows in file order.

    ``details`` has, for each failing row, its values and a column per rule, in the contract's
    order, that says ``invalid`` where the rule is broken.
    """
    if details.height == 0:
        return []
    details = details.sort("position")
    value_columns = contract.column_names()
    rules = [column for column in details.columns if column not in value_columns]
    broken = details.select(
        pl.concat_list(
            pl.when(pl.col(rule) == "invalid").then(pl.lit(rule)) for rule in rules
        ).list.drop_nulls()
    ).to_series()
    positions = details["position"]
    keys = values[positions].select(
        "row_number",
        # Only an order line has such a key.
        *(pl.col(name) if "occurrence" in values.columns else pl.lit(None).alias(name) for name in _KEY),
    )
    texts = chunk.raw_text(positions.to_list())
    return [
        _row(row_number, reasons, text, *key)
        for (row_number, *key), reasons, text in zip(keys.iter_rows(), broken.to_list(), texts, strict=True)
    ]


def _row(
    row_number: int,
    reasons: list[str],
    raw_text: str,
    order_id: str | None,
    product_id: str | None,
    occurrence: int | None,
    line_id: str | None,
) -> QuarantinedRow:
    within_order = product_id if line_id is None else line_id
    if not all(key and len(key) <= ID_CHARACTERS for key in (order_id, within_order)):
        return QuarantinedRow(row_number, tuple(reasons), raw_text, None, None, None)
    key = (order_id, product_id or None, occurrence, line_id)
    return QuarantinedRow(row_number, tuple(reasons), raw_text, *key)
