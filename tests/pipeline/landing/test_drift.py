"""Files of one source whose columns change from one to the next."""

from pathlib import Path

from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, one, statuses
from tests.pipeline.landing.files import HEADER, csv_file

FIRST = "1,P,2024-01-01,1,1"
SECOND = "2,P,2024-01-01,1,1"


def test_a_batch_remembers_its_headers_and_what_they_named(warehouse: Warehouse, tmp_path: Path) -> None:
    one(
        warehouse,
        csv_file(tmp_path, f"{FIRST},A,x", header=f"{HEADER},Land,Note"),
        columns={"region": "Land"},
    )
    assert asked(warehouse, "select headers from raw.batches") == [
        (
            {
                "Order ID": "order_id",
                "Product ID": "product_id",
                "Date of Sale": "sale_date",
                "Quantity Sold": "quantity",
                "Unit Price": "unit_price",
                "Land": "region",
                "Note": None,
            },
        )
    ]


def test_a_new_column_is_kept_warned_of_or_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    for said, status, message in [
        ("keep", "landed", None),
        ("warn", "landed", "2 columns are new since the source's last file: Till, Region"),
        (
            "refuse",
            "refused",
            "2 columns are new since the source's last file: Till, Region. To take it in, say "
            'new_columns = "keep" in sources.toml',
        ),
    ]:
        one(warehouse, csv_file(tmp_path, FIRST), source=said, new_columns=said)
        path = csv_file(tmp_path, f"{SECOND},7,Asia", header=f"{HEADER},Till,Region")
        result = one(warehouse, path, source=said, new_columns=said)
        assert (result.status, result.message) == (status, message)
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(5,)]


def test_a_header_that_is_only_written_otherwise_is_not_new(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, f"{FIRST},7", header=f"{HEADER},Till No"))
    path = csv_file(tmp_path, f"{SECOND},7", header=f"{HEADER.lower()},TILL_NO")
    assert one(warehouse, path, new_columns="refuse").status == "landed"


def test_a_column_of_ours_that_is_gone_refuses_the_file(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, f"{FIRST},Asia,4,x", header=f"{HEADER},Region,Unit Cost,Note"))
    path = csv_file(tmp_path, SECOND)
    result = one(warehouse, path, new_columns="keep")
    assert (result.status, result.message) == (
        "refused",
        "2 columns are missing that the source's last file had: Region, Unit Cost. If the source leaves it "
        "out for good, say in sources.toml what stands for it, under constants ('' for a blank)",
    )
    assert one(warehouse, path, source="another", new_columns="keep").status == "landed"
    assert one(warehouse, path, constants={"region": "", "unit_cost": ""}).status == "landed"
    assert statuses(warehouse) == ["landed", "refused", "landed", "landed"]


def test_what_is_compared_with_is_the_latest_landed_file(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, FIRST))
    wide = csv_file(tmp_path, f"{SECOND},Asia", header=f"{HEADER},Region", name="wide.csv")
    assert one(warehouse, wide, new_columns="refuse").status == "refused"
    third = csv_file(tmp_path, "3,P,2024-01-01,1,1", name="third.csv")
    assert one(warehouse, third).status == "landed"
    assert one(warehouse, wide).status == "landed"
    assert one(warehouse, third, mode="overwrite", force=True, new_columns="warn").status == "refused"


def test_a_source_of_which_nothing_is_said_sends_files_of_any_form(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    one(warehouse, csv_file(tmp_path, f"{FIRST},Asia", header=f"{HEADER},Region"))
    narrow = csv_file(tmp_path, SECOND)
    assert one(warehouse, narrow, duplicate_rows="keep").status == "landed"
    assert one(warehouse, narrow, mode="overwrite", force=True).status == "landed"
