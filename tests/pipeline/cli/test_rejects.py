"""`tillhouse rejects`: the quarantined rows, for people and for scripts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.landing import LandingRequest, land
from pipeline.settings import get_settings
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import request_of

Run = Callable[..., Result]

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\n"


@pytest.fixture
def run(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + '1,P,2024-01-01,1,1\n2,P,soon,0,1\n3,"[red], x",,1,1\n1,P,2024-01-01,1,1\n')
    land(warehouse.urls.owner, LandingRequest((path,)), lambda _: None)
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["rejects", *arguments])

    yield call
    get_settings.cache_clear()


def test_without_a_batch_it_lists_those_with_rejected_rows(run: Run) -> None:
    assert json.loads(run("--json").stdout) == {
        "data": [
            {
                "batch_id": 1,
                "file_name": "sales.csv",
                "source": "default",
                "status": "landed",
                "rows_read": 4,
                "rows_quarantined": 3,
                "reasons": {"sale_date_invalid": 1, "sale_date_missing": 1, "duplicate_row": 1},
            }
        ],
        "refunds": [],
    }
    assert "duplicate_row 1, sale_date_invalid 1, sale_date_missing 1" in run().stdout


def test_with_a_batch_it_shows_the_rows_and_every_reason(run: Run) -> None:
    assert run("1", "--csv").stdout == (
        "row_number,reasons,raw_text\n"
        '3,"sale_date_invalid, quantity_zero","2,P,soon,0,1"\n'
        '4,sale_date_missing,"3,""[red], x"",,1,1"\n'
        '5,duplicate_row,"1,P,2024-01-01,1,1"\n'
    )
    shown = run("1", "--limit", "2").stdout
    assert '3,"[red], x",,1,1' in shown
    assert "Shown: 2 of 3 rows" in shown


def test_csv_is_harmless_to_spreadsheets(run: Run, warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "=cmd().csv"
    path.write_text(HEADER + "1,P,2024-01-01,1,1\n=cmd(),P,soon,1,1\n-2,P,soon,1,1\n")
    land(warehouse.urls.owner, LandingRequest((path,), source="@till"), lambda _: None)
    assert run("2", "--csv").stdout == (
        "row_number,reasons,raw_text\n"
        '3,sale_date_invalid,"\'=cmd(),P,soon,1,1"\n'
        '4,sale_date_invalid,"\'-2,P,soon,1,1"\n'
    )
    assert run("--csv", "--limit", "1").stdout.splitlines()[1] == (
        "2,'=cmd().csv,'@till,landed,3,2,sale_date_invalid 2"
    )


def test_a_batch_that_is_not_there_is_a_message(run: Run) -> None:
    result = run("77")
    assert result.exit_code == 1
    assert (
        result.stderr == "Error: there is no batch 77; `tillhouse rejects` lists those with rejected rows\n"
    )


# A feed → its file, of which the last row is rejected, and that row as it is to be corrected.
OTHER_FEEDS = {
    "unit_costs": (
        "product_id,Supplier,cost\nP,Acme,1\nQ,=cmd(),cheap\n",
        "Product ID,Supplier,Unit Cost",
        'Q,\'=cmd(),cheap,3,cost_invalid,"Q,=cmd(),cheap"',
    ),
    "refunds": (
        "Refund ID,Order ID,Amount,Date\nR1,1,5,2024-01-31\nR2,1,-5,soon\n",
        "Refund ID,Order ID,Amount,Refund Date",
        'R2,1,\'-5,soon,3,"date_invalid, amount_not_positive","R2,1,-5,soon"',
    ),
    "stores": (
        "Store ID,Region\nS1,North\n,South\n",
        "Store ID,Region",
        ',South,3,store_id_missing,",South"',
    ),
    "products": (
        "Product ID,List Price,Colour\nP,1,red\nQ,1.2.3,blue\n",
        "Product ID,List Price,Colour",
        'Q,1.2.3,blue,3,list_price_invalid,"Q,1.2.3,blue"',
    ),
    "customers": (
        "Customer ID,Name\nC,Sarah\n,Tom\n",
        "Customer ID,Customer Name",
        ',Tom,3,customer_id_missing,",Tom"',
    ),
}


@pytest.mark.parametrize("feed", OTHER_FEEDS)
def test_the_rows_of_other_feeds_are_written_in_their_own_columns(
    run: Run, warehouse: Warehouse, tmp_path: Path, feed: str
) -> None:
    text, headers, row = OTHER_FEEDS[feed]
    path, target = tmp_path / "records.csv", tmp_path / "corrected.csv"
    path.write_text(text)
    originals = warehouse.settings.originals_folder
    [batch] = land(warehouse.urls.owner, request_of((path,), feed=feed, originals=originals), lambda _: None)
    result = run(str(batch.batch_id), "--to", str(target))
    assert result.stdout == f"1 rejected rows written to {target}.\n"
    assert target.read_text() == (f"{headers},tillhouse_row,tillhouse_reasons,tillhouse_text\n{row}\n")
