"""The glance that spares most rows the contract, held to the contract."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.landing.checker import BatchChecker
from pipeline.landing.chunks import Chunk, Damage
from pipeline.landing.columns import map_columns
from pipeline.landing.contract import OrderLineContract
from pipeline.landing.plain import plainly_kept
from pipeline.sources import COLUMNS, SourceSettings

GOOD: dict[str, str | None] = {
    "order_id": "1",
    "product_id": "P1",
    "customer_id": "C1",
    "product_name": "Tea",
    "category": "Food",
    "region": "Asia",
    "sale_date": "2024-02-29",
    "quantity": "-2",
    "unit_price": "9.99",
    "discount": "0.1",
    "shipping": "5",
    "payment_method": "Cash",
    "unit_cost": "4.123456",
    "tax": "",
    "tax_rate": "",
    "currency": "",
}
ODD = [
    "", " ", "0", "1", "-1", "+1", "1.", ".5", "-0", "00", "0.0000001", "0.000000", "1e3", "NaN", "١", "x",
    "1,5", "9" * 12, "9" * 13, "0" * 14, "2147483647", "2147483648", "9999999999", "-2147483648", "1.1234567",
    "1.0000000", "2024-02-30", "2024-13-01", "1899-12-31", "2200-01-01", "2024-1-01", "2024-02-29 10:30",
    "2024-02-29T25:00", "+2024-01-01", "é" * 150, "x" * 200, "x" * 201, "1\n", "USD", "EUR", None,
]  # fmt: skip
SETTINGS = [
    {},
    {"discount": "amount_per_line"},
    {"discount": "percent"},
    {"shipping": "per_order"},
    {"negative_quantity": "quarantine"},
    {"prices_include_tax": True},
    {"date_format": "%d.%m.%Y"},
]


def values_of(rows: list[dict[str, str | None]], said: dict[str, object]) -> pl.DataFrame:
    """What a checker makes of rows of text."""
    source = SourceSettings.model_validate(said)
    titles = [COLUMNS[name] for name in GOOD]
    text = pl.DataFrame(
        {str(at): pl.Series([row[name] for row in rows], dtype=pl.String) for at, name in enumerate(GOOD)}
    )
    numbers = np.arange(len(rows), dtype=np.int64)
    damage = np.array(
        [int(Damage.NONE if None not in row.values() else Damage.TOO_FEW_FIELDS) for row in rows],
        dtype=np.uint16,
    )
    chunk = Chunk(text, numbers, damage, lambda positions: ["" for _ in positions])
    values = BatchChecker(map_columns(titles, source), source).values(chunk)
    return values.with_columns(pl.Series("is_repeat", numbers % 7 == 6))


ROWS = st.lists(
    st.dictionaries(st.sampled_from(list(GOOD)), st.sampled_from(ODD), max_size=2).map(
        lambda odd: GOOD | odd
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(ROWS, st.sampled_from(SETTINGS))
def test_what_a_glance_lets_pass_keeps_the_contract(
    rows: list[dict[str, str | None]], said: dict[str, object]
) -> None:
    values = values_of(rows, said)
    good, _ = OrderLineContract.filter(values.select(OrderLineContract.column_names()))
    assert set(np.flatnonzero(plainly_kept(values)).tolist()) <= set(good["position"].to_list())


@pytest.mark.parametrize(
    ("odd", "is_plain"),
    [
        ({}, True),
        ({"unit_cost": "", "customer_id": "", "region": "", "discount": ""}, True),
        ({"sale_date": "2024-02-29 10:30"}, True),
        ({"unit_price": "-1"}, False),
        ({"unit_price": "+1"}, False),
        ({"quantity": "0"}, False),
        ({"order_id": ""}, False),
        ({"discount": "1"}, False),
        ({"tax_rate": "19%"}, False),
    ],
)
def test_rows_as_most_are_pass_at_a_glance(odd: dict[str, str | None], is_plain: bool) -> None:
    assert plainly_kept(values_of([GOOD | odd, GOOD], {})).tolist() == [is_plain, True]
