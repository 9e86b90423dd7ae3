"""A line that carries a store and no region has its store's."""

from tests.pipeline.builds.conftest import Workbench

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Region,Store ID\n"
LINES = HEADER + (
    "1,P,2024-01-31,1,10,,S1\n"
    "2,P,2024-01-31,2,10,West,S1\n"
    "3,P,2024-01-31,3,10,,S2\n"
    "4,P,2024-01-31,4,10,,\n" + "".join(f"R{number},P,2024-01-01,1,1,East,\n" for number in range(60))
)
STORES = "Store ID,City,Region\n"


def regions(workbench: Workbench) -> dict[str, tuple[str, str]]:
    rows = workbench.rows(
        "select order_id, own_region, region from core.fct_order_lines where order_id not like 'R%'"
    )
    return {row[0]: row[1:] for row in rows}


def test_a_store_that_moves_takes_its_lines_along_and_no_other(workbench: Workbench) -> None:
    workbench.land(LINES)
    workbench.land(STORES + "S1,Oslo,North\nS2,Rome,\n", feed="stores")
    workbench.build()
    assert regions(workbench) == {
        "1": ("Unspecified", "North"),
        "2": ("West", "West"),
        "3": ("Unspecified", "Unspecified"),
        "4": ("Unspecified", "Unspecified"),
    }

    # With a line of it delivered anew in the same build.
    workbench.land(STORES + "S1,Bergen,Fjords\nS2,Rome,South\n", feed="stores")
    workbench.land(HEADER + "3,P,2024-01-31,3,10,,S2\n")
    publication = workbench.build()
    assert not publication.is_full
    assert regions(workbench) == {
        "1": ("Unspecified", "Fjords"),
        "2": ("West", "West"),
        "3": ("Unspecified", "South"),
        "4": ("Unspecified", "Unspecified"),
    }
    assert publication.rows_changed["core.fct_order_lines"] == {"written": 2, "deleted": 0}
    assert workbench.rows(
        "select region, net_revenue from marts.revenue_daily where sale_date = '2024-01-31' order by region"
    ) == [("Fjords", 10), ("South", 30), ("Unspecified", 40), ("West", 20)]
    assert workbench.rows("select store_id, city, region from core.dim_store order by store_id") == [
        ("S1", "Bergen", "Fjords"),
        ("S2", "Rome", "South"),
    ]
    assert workbench.rows("select distinct batch_id from core.fct_order_lines") == [(1,)]
    again = workbench.build(full=True)
    assert {table: counts for table, counts in again.rows_changed.items() if any(counts.values())} == {}
    assert workbench.rows("select distinct batch_id from core.fct_order_lines") == [(1,)]
