"""A customer's record says what no line says of them."""

from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_mending import change
from tests.pipeline.builds.test_unit_costs import assert_a_full_build_agrees, changed

HEADER = (
    "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Customer ID,Customer Name,Customer Email\n"
)
LINES = HEADER + (
    "1,P,2024-01-31,1,10,C1,Ann,\n"
    "2,P,2024-02-01,2,10,C1,,\n"
    "3,P,2024-02-01,3,10,C2,,b@shop.example\n"
    "4,P,2024-02-01,4,10,,,\n" + "".join(f"R{number},P,2024-01-01,1,1,C9,Rest,\n" for number in range(60))
)
CUSTOMERS = "Customer ID,Customer Name,Customer Email,Customer Address,Age\n"


def customers(workbench: Workbench) -> list[tuple[str, str | None, str | None, str | None]]:
    return workbench.rows(
        "select customer_id, customer_name, customer_email, customer_address from core.dim_customer"
        " where customer_id <> 'C9' order by customer_id"
    )


def test_customers_fill_what_their_lines_lack_and_touch_no_other(
    workbench: Workbench,
) -> None:
    workbench.land(LINES)
    workbench.build()
    assert customers(workbench) == [("C1", "Ann", None, None), ("C2", None, "b@shop.example", None)]
    workbench.land(CUSTOMERS + "C1,Anna,a@home.example,1 Road,44\nC3,Never,,,\n", feed="customers")
    publication = workbench.build()
    assert not publication.is_full
    filled = [("C1", "Ann", "a@home.example", "1 Road"), ("C2", None, "b@shop.example", None)]
    assert customers(workbench) == filled
    assert changed(publication) == {
        "core.dim_customer": {"written": 1, "deleted": 0},
        "core.dim_customer_record": {"written": 2, "deleted": 0},
    }
    assert workbench.rows(
        "select customer_id, customer_name, customer_email, customer_address, extra, batch_id, row_number"
        " from core.dim_customer_record order by 1"
    ) == [
        ("C1", "Anna", "a@home.example", "1 Road", {"Age": "44"}, 2, 2),
        ("C3", "Never", None, None, None, 2, 3),
    ]
    # What is said again, or of another column, changes no customer.
    workbench.land(CUSTOMERS + "C1,Anna,a@home.example,1 Road,45\n", feed="customers")
    assert changed(workbench.build()) == {"core.dim_customer_record": {"written": 1, "deleted": 0}}
    # The latest record decides, with its blanks.
    workbench.land(CUSTOMERS + "C1,,,2 Road,\nC2,Bob,c@home.example,,\n", feed="customers")
    workbench.build()
    assert customers(workbench) == [("C1", "Ann", None, "2 Road"), ("C2", "Bob", "b@shop.example", None)]
    assert_a_full_build_agrees(workbench)


def test_customers_may_come_before_their_lines_and_give_way_to_what_lines_say(workbench: Workbench) -> None:
    workbench.land(CUSTOMERS + "C1,Anna,a@home.example,,\nC2,Bob,,,\n", feed="customers")
    workbench.build()
    assert customers(workbench) == []
    workbench.land(LINES)
    workbench.build()
    assert customers(workbench) == [
        ("C1", "Ann", "a@home.example", None),
        ("C2", "Bob", "b@shop.example", None),
    ]
    # A line, and in the same build a line with its record.
    workbench.land(HEADER + "5,P,2024-02-02,1,10,C1,,ann@work.example\n6,P,2024-02-02,1,10,C3,,\n")
    workbench.land(CUSTOMERS + "C2,Bill,,,\nC3,Cleo,,,\n", feed="customers")
    publication = workbench.build()
    assert not publication.is_full
    assert customers(workbench) == [
        ("C1", "Ann", "ann@work.example", None),
        ("C2", "Bill", "b@shop.example", None),
        ("C3", "Cleo", None, None),
    ]
    assert_a_full_build_agrees(workbench)


def test_a_customer_leaves_with_the_last_line_though_the_record_stays(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(CUSTOMERS + "C1,Anna,,,\nC2,Bob,,,\n", feed="customers")
    workbench.build()
    kept = "".join(line + "\n" for line in LINES.splitlines() if ",C2," not in line)
    workbench.land(kept, mode="overwrite")
    workbench.land(CUSTOMERS + "C2,Bill,,,\n", feed="customers")
    workbench.build()
    assert customers(workbench) == [("C1", "Ann", None, None)]
    assert workbench.rows("select customer_id, customer_name from core.dim_customer_record order by 1") == [
        ("C1", "Anna"),
        ("C2", "Bill"),
    ]
    assert_a_full_build_agrees(workbench)


def test_a_voided_delivery_of_customers_takes_its_values_back(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(CUSTOMERS + "C2,Bob,,,\n", feed="customers")
    workbench.build()
    before = customers(workbench)
    [wrong] = workbench.land(CUSTOMERS + "C1,,,1 Road,\nC2,Bill,,,\n", feed="customers")
    workbench.build()
    after = customers(workbench)
    assert after == [("C1", "Ann", None, "1 Road"), ("C2", "Bill", "b@shop.example", None)]
    change(workbench, wrong)
    publication = workbench.build()
    assert customers(workbench) == before
    assert changed(publication) == {
        "core.dim_customer": {"written": 2, "deleted": 0},
        "core.dim_customer_record": {"written": 1, "deleted": 1},
    }
    change(workbench, wrong, restores=True)
    workbench.build()
    assert customers(workbench) == after
    assert_a_full_build_agrees(workbench)
