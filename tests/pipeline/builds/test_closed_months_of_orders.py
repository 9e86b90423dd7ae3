"""Closed months against lines of other months, which move an order's date or its shipping."""

from datetime import date

import pytest

from pipeline.landing import LandingError
from pipeline.landing.closed_months import close_month, closed_months
from pipeline.landing.voiding import VoidRequest, void
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_closed_months import REFUSED

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Shipping Cost\n"
# Orders of January: with shipping, without any, with shipping of nothing, and on two lines. One of February.
LINES = [
    "1,A,2024-01-05,1,10,7",
    "2,A,2024-01-06,1,10,",
    "3,A,2024-01-07,1,10,0",
    "4,A,2024-01-08,1,10,5",
    "4,B,2024-01-08,1,10,5",
    "5,A,2024-02-09,1,10,4",
    *(f"X{n},Z,2024-03-01,1,1,0" for n in range(40)),
]
SHIPPING = """
    select product_id, sum(shipping) from core.fct_order_lines
    where order_id = '1' and sale_date < '2024-02-01'
    group by product_id
"""
ORDERS = """
    select order_date, orders from marts.orders_daily
    where order_date between '2024-01-01' and '2024-01-31'
    order by order_date
"""


def delivery(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


@pytest.fixture
def closed(workbench: Workbench) -> Workbench:
    """Orders that state what the whole of them was charged are published; January is closed."""
    workbench.land(delivery(*LINES), shipping="per_order")
    workbench.build()
    close_month(workbench.connection, date(2024, 1, 1), "anna")
    return workbench


# A line that takes the shipping away; to another amount, or to none. One that moves the date out of the
# month, or into it; or of a line that repeats what is known.
CHANGES = [
    (["1,B,2024-02-05,1,10,7"], "order 1"),
    (["1,B,2024-02-05,1,10,9"], "order 1"),
    (["1,B,2024-02-05,1,10,0"], "order 1"),
    (["1,C,2023-12-05,1,10,"], "order 1"),
    (["2,B,2023-12-05,1,10,"], "order 2"),
    (["5,A,2023-12-05,1,10,4", "4,C,2024-02-01,1,10,5", "1,B,2024-02-05,1,10,7"], "order 1, order 4"),
    (["1,A,2024-01-05,1,10,7", "1,B,2024-02-05,1,10,7"], "order 1"),
    (["1,B,2024-02-05,1,10,7", "1,D,2024-01-05,1,10,"], "order 1 line D #1"),
]


def test_a_line_that_moves_an_order_or_its_shipping_out_of_a_closed_month_is_refused(
    closed: Workbench,
) -> None:
    for rows, changed in CHANGES:
        [result] = closed.land(delivery(*rows), shipping="per_order")
        assert (rows, result.status, result.message) == (rows, "refused", REFUSED.format(changed))
    assert len(closed_months(closed.connection)) == 1

    [result] = closed.land(delivery(*CHANGES[0][0], *CHANGES[3][0]), shipping="per_order", reopen=True)
    assert (result.status, result.message) == ("landed", "opened closed months again: 2024-01")
    assert closed_months(closed.connection) == []


def test_a_line_that_leaves_the_orders_of_a_closed_month_as_they_are_lands(closed: Workbench) -> None:
    before = closed.rows(SHIPPING), closed.rows(ORDERS)
    for rows in [
        # More of the order, which says nothing of shipping, or of one that had none.
        ["1,B,2024-02-06,1,10,", "2,B,2024-02-06,1,10,3"],
        # Nothing was charged in the month; the month is repeated as it was; another month's order.
        ["3,B,2024-02-07,1,10,3"],
        [*LINES[:5], "5,B,2024-02-09,1,10,6"],
        ["5,C,2023-12-09,1,10,8"],
    ]:
        [result] = closed.land(delivery(*rows), shipping="per_order")
        assert (rows, result.status, result.message) == (rows, "landed", None)
    closed.build()
    assert (closed.rows(SHIPPING), closed.rows(ORDERS)) == before
    assert len(closed_months(closed.connection)) == 1


def test_a_return_of_an_order_of_a_closed_month_lands(workbench: Workbench) -> None:
    options = {"shipping": "per_order", "columns": {"line_id": "Line ID"}}
    header = HEADER.replace("\n", ",Line ID\n")
    workbench.land(header + "".join(f"{line},L{n}\n" for n, line in enumerate(LINES)), **options)
    workbench.build()
    close_month(workbench.connection, date(2024, 1, 1), "anna")
    before = workbench.rows(SHIPPING), workbench.rows(ORDERS)
    assert before[0] == [("A", 7)]
    [result] = workbench.land(header + "1,A,2024-02-05,-1,10,7,R1\n4,A,2024-02-06,-1,10,9,R2\n", **options)
    assert (result.status, result.message) == ("landed", None)
    workbench.build()
    assert (workbench.rows(SHIPPING), workbench.rows(ORDERS)) == before


def test_a_line_that_goes_moves_the_order_and_the_shipping_into_a_closed_month(workbench: Workbench) -> None:
    workbench.land(delivery(*LINES, "1,B,2023-12-05,1,10,8", "2,B,2024-02-06,1,10,"), shipping="per_order")
    workbench.build()
    close_month(workbench.connection, date(2024, 1, 1), "anna")
    options = {"shipping": "per_order", "mode": "overwrite", "force": True}
    for delivery_of in ({}, {"delivery": "full"}):
        [result] = workbench.land(delivery(*LINES), **options, **delivery_of)
        assert (result.status, result.message) == ("refused", REFUSED.format("order 1"))


def test_a_line_that_is_said_again_counts_no_shipping_anew(closed: Workbench) -> None:
    closed.land(delivery("5,B,2024-01-20,1,10,6"), shipping="per_order", reopen=True)
    closed.build()
    close_month(closed.connection, date(2024, 1, 1), "anna")
    # The older line is repeated: the newer one still counts, as the build has it.
    [result] = closed.land(delivery("5,A,2024-02-09,1,10,4"), shipping="per_order")
    assert (result.status, result.message) == ("landed", None)
    # And when it is corrected, it is the newest statement.
    [result] = closed.land(delivery("5,A,2024-02-09,2,10,4"), shipping="per_order")
    assert (result.status, result.message) == ("refused", REFUSED.format("order 5"))


def test_a_batch_with_more_of_an_order_of_a_closed_month_is_voided_only_by_opening_it(
    closed: Workbench,
) -> None:
    closed.land(delivery("1,B,2024-02-05,1,10,7"), shipping="per_order", reopen=True)
    closed.build()
    close_month(closed.connection, date(2024, 1, 1), "anna")
    with pytest.raises(LandingError, match=r"batch 2 has lines in months that are closed: 2024-01; if that"):
        void(closed.connection, VoidRequest((2,)))
    void(closed.connection, VoidRequest((2,), reopen=True))
    assert closed_months(closed.connection) == []
