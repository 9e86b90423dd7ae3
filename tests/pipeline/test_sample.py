"""The generated sales: as many as asked for, the same by seed, all of them acceptable."""

import gzip
import hashlib
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.landing import LandingRequest, check
from pipeline.sample import SampleError, sample_chunks, write_sample


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sample.csv"
    write_sample(path, rows=50_000, seed=1)
    return path


def test_every_row_is_accepted(sales: Path) -> None:
    [result] = check(LandingRequest((sales,)), lambda _: None)
    assert (result.status, result.rows_read, result.rows_accepted) == ("checked", 50_000, 50_000)
    assert str(result.first_sale_date) == "2023-01-01"
    assert str(result.last_sale_date) == "2025-12-31"


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_there_are_exactly_as_many_rows_as_asked_for(rows: int) -> None:
    assert sum(chunk.height for chunk in sample_chunks(rows, 3)) == rows


def test_equal_seeds_give_equal_files_and_others_do_not(tmp_path: Path, sales: Path) -> None:
    for name, seed in (("same.csv.gz", 1), ("other.csv.gz", 2)):
        write_sample(tmp_path / name, rows=50_000, seed=seed)
    assert gzip.decompress((tmp_path / "same.csv.gz").read_bytes()) == sales.read_bytes()
    assert gzip.decompress((tmp_path / "other.csv.gz").read_bytes()) != sales.read_bytes()
    first = hashlib.sha256((tmp_path / "same.csv.gz").read_bytes()).digest()
    write_sample(tmp_path / "same.csv.gz", rows=50_000, seed=1)
    assert hashlib.sha256((tmp_path / "same.csv.gz").read_bytes()).digest() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.csv.gz", "same.csv.gz"]


def test_sales_are_believable(sales: Path) -> None:
    lines = pl.read_csv(sales, infer_schema=False)
    dates = lines["Date of Sale"]
    assert dates.is_sorted()
    assert lines["Order ID"].rle().len() == lines["Order ID"].n_unique()
    orders = lines.group_by("Order ID").agg(
        lines=pl.len(), days=pl.col("Date of Sale").n_unique(), products=pl.col("Product ID").n_unique()
    )
    assert orders["days"].max() == 1
    assert (orders["lines"] == orders["products"]).all()
    assert orders["lines"].max() == 6
    years = lines.group_by(pl.col("Date of Sale").str.head(4)).len().sort("len")
    assert years["Date of Sale"].to_list() == ["2023", "2024", "2025"]
    months = lines.group_by(pl.col("Date of Sale").str.slice(5, 2)).len().sort("len")
    assert set(months["Date of Sale"][-2:]) == {"11", "12"}
    quantities = lines["Quantity Sold"].cast(pl.Int64)
    assert 0.02 < (quantities < 0).sum() / lines.height < 0.04
    top = lines["Product ID"].value_counts(sort=True)["count"]
    assert top[:20].sum() > 0.3 * lines.height
    customers = lines.drop_nulls("Customer ID")
    assert customers.select(
        "Customer ID", "Customer Name", "Customer Email", "Customer Address"
    ).n_unique() == (customers["Customer ID"].n_unique())
    visits = customers.group_by("Customer ID").agg(pl.col("Order ID").n_unique())["Order ID"]
    assert (visits > 1).sum() > 0.5 * len(visits)
    assert lines["Region"].n_unique() == 6
    assert lines.select(
        (pl.col("Unit Cost").cast(pl.Decimal(10, 2)) < pl.col("Unit Price").cast(pl.Decimal(10, 2))).all()
    ).item()
    assert lines["Customer Email"].drop_nulls().str.ends_with("@example.invalid").all()


def test_a_sample_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="from 1 to"):
        write_sample(tmp_path / "x.csv", rows=0, seed=1)
    with pytest.raises(SampleError, match="cannot be written"):
        write_sample(tmp_path / "none" / "x.csv", rows=5, seed=1)


def test_the_command_writes_to_stdout_or_to_a_file(tmp_path: Path) -> None:
    runner = CliRunner()
    printed = runner.invoke(main, ["sample", "--rows", "20", "--seed", "4"])
    assert printed.exit_code == 0
    assert len(printed.stdout.splitlines()) == 21
    assert printed.stdout.startswith(
        "Order ID,Product ID,Customer ID,Product Name,Category,Region,Date of Sale,"
    )
    path = tmp_path / "out.csv"
    written = runner.invoke(main, ["sample", "--rows", "20", "--seed", "4", "--output", str(path)])
    assert (written.exit_code, written.stdout, written.stderr) == (0, "", f"20 lines written to {path}\n")
    assert path.read_text() == printed.stdout
