"""What a delivery's sender believes it holds, and what was found in it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.landing.errors import FileRefused

SIDE_FILE_ENDING = ".totals.toml"
_MICRO = 1_000_000

Money = Annotated[Decimal, Field(allow_inf_nan=False)]


class Totals(BaseModel):
    """Counts and sums that are believed; None for what nothing is said of.

    ``rows`` are all rows of the file (of a month: its accepted ones). ``gross`` and ``net`` are the
    revenue of the accepted ones, as Tillhouse defines it, in the file's own prices (with tax
    where they include it).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: Annotated[int, Field(ge=0)] | None = None
    gross: Money | None = None
    net: Money | None = None

    @property
    def said(self) -> dict[str, int | Decimal]:
        """What is said, by name."""
        return {name: value for name, value in self if value is not None and name in Totals.model_fields}


class ControlTotals(Totals):
    """Those of a delivery in all, and of its months (``2024-03``)."""

    months: dict[Annotated[str, Field(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")], Totals] = {}


def control_totals(rows: int | None, gross: str | None, net: str | None) -> ControlTotals | None:
    """Those of a delivery in all; None when nothing is said."""
    said = {"rows": rows, "gross": gross, "net": net}
    return None if set(said.values()) == {None} else ControlTotals.model_validate(said)


@dataclass
class Found:
    """The sums of accepted rows by month, exact: revenue in millionths of millionths."""

    months: dict[str, list[int]] = field(default_factory=dict)

    def add(self, lines: pl.DataFrame) -> None:
        """Count accepted lines: their text in unit_price and discount, line_discount, and what was parsed."""
        price, discount = (_in_millionths(name) for name in ("unit_price", "discount"))
        quantity = pl.col("quantity_number").cast(pl.Int128)
        gross = quantity * price * _MICRO
        amount = (pl.col("line_discount").fill_null(0) * _MICRO).cast(pl.Int128) * _MICRO
        deducted = pl.when(quantity > 0).then(amount).otherwise(amount * -1)
        sums = (
            lines.select(
                pl.col("sale_day").dt.strftime("%Y-%m").alias("month"),
                gross.alias("amount"),
                (quantity * price * (_MICRO - discount) - deducted).alias("net"),
            )
            .group_by("month")
            .agg(
                pl.len().alias("rows"),
                pl.when(pl.col("amount") > 0).then("amount").otherwise(0).sum().alias("gross"),
                pl.col("net").sum(),
            )
        )
        for month, *values in sums.iter_rows():
            so_far = self.months.setdefault(month, [0, 0, 0])
            self.months[month] = [old + int(new) for old, new in zip(so_far, values, strict=True)]

    def of(self, month: str | None) -> dict[str, int | Decimal]:
        """The totals of a month, or of all."""
        chosen = [values for name, values in self.months.items() if month in (None, name)]
        rows, gross, net = (sum(values[at] for values in chosen) for at in range(3))
        # From text: arithmetic would round to the digits of its context.
        return {"rows": rows, "gross": Decimal(f"{gross}e-12"), "net": Decimal(f"{net}e-12")}


def side_file_of(path: Path) -> Path:
    """Where the control totals of a file are, when it comes with some: beside it."""
    return path.with_name(path.name + SIDE_FILE_ENDING)


def read_side_file(path: Path) -> ControlTotals | None:
    """The control totals that came with a file; None when there are none.

    Raises:
        FileRefused: they cannot be read.
    """
    beside = side_file_of(path)
    try:
        table: Mapping[str, Any] = tomllib.loads(beside.read_text(encoding="utf-8"), parse_float=Decimal)
        return ControlTotals.model_validate(table)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        why = _first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise FileRefused(
            f"its control totals in {beside.name} cannot be read: {why}. They are TOML: rows, gross and net, "
            'in all and in tables such as [months."2024-03"]'
        ) from error


def mismatch(believed: ControlTotals, found: Found, rows_read: int) -> str | None:
    """Where what is believed and what was found differ, both sides shown; None when they agree."""
    in_all = found.of(None) | {"rows": rows_read}
    differences = _differences("in all", believed, in_all)
    for month, totals in sorted(believed.months.items()):
        differences += _differences(month, totals, found.of(month))
    if not differences:
        return None
    return f"its control totals say otherwise: {'; '.join(differences)}. Nothing of it was loaded"


def _differences(where: str, believed: Totals, found: Mapping[str, int | Decimal]) -> list[str]:
    return [
        f"{where}, {name}: {value:,} expected, {_shown(found[name])} found"
        for name, value in believed.said.items()
        if found[name] != value
    ]


def _shown(value: int | Decimal) -> str:
    """With the decimals that it needs, at least two of an amount."""
    if isinstance(value, int):
        return f"{value:,}"
    whole, decimals = f"{value:,f}".split(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _in_millionths(name: str) -> pl.Expr:
    return (pl.col(name).cast(pl.Decimal(38, 6)) * _MICRO).cast(pl.Int128)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
