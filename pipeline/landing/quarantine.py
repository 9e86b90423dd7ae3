"""The rows that broke the contract, with everything that is wrong with them."""

from dataclasses import dataclass

import dataframely as dy
import polars as pl

from pipeline.landing.chunks import Chunk
from pipeline.landing.contract import ID_CHARACTERS

_KEY = ("order_id", "product_id", "occurrence")


@dataclass(frozen=True)
class QuarantinedRow:
    """A row as it is in the file, and every rule it breaks, in the contract's order.

    ``order_id``, ``product_id`` and ``occurrence`` are there when the row's key could be read.
    """

    row_number: int
    reasons: tuple[str, ...]
    raw_text: str
    order_id: str | None
    product_id: str | None
    occurrence: int | None


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
        _row(row_number, reasons, text, order_id, product_id, occurrence)
        for (row_number, order_id, product_id, occurrence), reasons, text in zip(
            keys.iter_rows(), broken.to_list(), texts, strict=True
        )
    ]


def _row(
    row_number: int,
    reasons: list[str],
    raw_text: str,
    order_id: str | None,
    product_id: str | None,
    occurrence: int | None,
) -> QuarantinedRow:
    readable = all(key and len(key) <= ID_CHARACTERS for key in (order_id, product_id))
    key = (order_id, product_id, occurrence) if readable else (None, None, None)
    return QuarantinedRow(row_number, tuple(reasons), raw_text, *key)
