"""Files into the raw tables: what lands, and what is put aside."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.landing import (
    LandingRequest,
    Progress,
    check,
    land,
)
from pipeline.landing.keys import version_key
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, lines, one, small
from tests.pipeline.landing.files import HEADER, SAMPLE, bytes_file, csv_file


def test_the_six_lines_land_exactly(warehouse: Warehouse) -> None:
    result = one(warehouse, SAMPLE)
    assert (result.batch_id, result.status, result.rows_read, result.rows_accepted) == (1, "landed", 6, 6)
    assert (result.first_sale_date, result.last_sale_date) == (date(2023, 12, 15), date(2024, 5, 18))
    product = version_key(["P123", "UltraBoost Running Shoes", "Shoes"])
    customer = version_key(["C456", "John Smith", "johnsmith@email.com", "123 Main St, Anytown, CA 12345"])
    assert asked(warehouse, "select * from raw.order_lines order by row_number")[0] == (
        1, 2, 1, date(2023, 12, 15), 2, product, customer, "1001", "P123", "C456", "North America",
        "Credit Card", Decimal("180.000000"), Decimal("0.100000"), Decimal("10.000000"), None, None,
        None, None, None, None, None, False, None,
    )  # fmt: skip
    assert asked(
        warehouse, "select row_number, product_id, product_name, category from raw.products order by 1"
    ) == [
        (2, "P123", "UltraBoost Running Shoes", "Shoes"),
        (3, "P456", "iPhone 15 Pro", "Electronics"),
        (4, "P789", "Levi's 501 Jeans", "Clothing"),
        (6, "P234", "Sony WH-1000XM5 Headphones", "Electronics"),
    ]
    assert asked(
        warehouse, "select row_number, customer_id, customer_address from raw.customers order by 1"
    ) == [
        (2, "C456", "123 Main St, Anytown, CA 12345"),
        (3, "C789", "456 Elm St, Otherville, NY 54321"),
        (5, "C101", "789 Oak St, New City, TX 75024"),
    ]
    assert asked(
        warehouse,
        "select call_id, feed, source, mode, options, file_name, size_bytes, sha256, rows_read, "
        "rows_accepted, rows_quarantined, reasons, message, requested_by from raw.batches",
    ) == [
        (
            1, "order_lines", "default", "append", {"duplicate_rows": "quarantine"}, "sales_sample.csv", 1144,
            "7e3618618b7dd590c5c3cd597991bec46a069a13e506a2a2bd7362cceff83464", 6, 6, 0, {}, None, "cli",
        )
    ]  # fmt: skip


def test_blanks_get_their_defaults_and_unknown_columns_are_kept(warehouse: Warehouse, tmp_path: Path) -> None:
    header = f"{HEADER},Customer ID,Product Name,Region,Discount,Till,Note"
    one(
        warehouse,
        csv_file(
            tmp_path,
            '1, P1 ,2024-01-01 10:30,2.0,.50,,,,,7,"say ""hi"", é"',
            "2,P2,2024-01-02,-1,5.,C1,Tea,Asia,0.25,,",
            header=header,
        ),
    )
    assert asked(
        warehouse,
        "select order_id, product_id, sale_date, quantity, unit_price, customer_id, customer_key is null, "
        "region, payment_method, discount, shipping, unit_cost, extra "
        "from raw.order_lines order by row_number",
    ) == [
        (
            "1", "P1", date(2024, 1, 1), 2, Decimal("0.5"), None, True, "Unspecified", "Unspecified",
            0, 0, None, {"Till": "7", "Note": 'say "hi", é'},
        ),
        (
            "2", "P2", date(2024, 1, 2), -1, Decimal(5), "C1", False, "Asia", "Unspecified",
            Decimal("0.25"), 0, None, None,
        ),
    ]  # fmt: skip
    assert asked(warehouse, "select product_id, product_name, category from raw.products order by 1") == [
        ("P1", None, "Unspecified"),
        ("P2", "Tea", "Unspecified"),
    ]


def test_text_of_any_kind_arrives_as_it_is(warehouse: Warehouse, tmp_path: Path) -> None:
    names = ["a\rb", "a\nb", '"', "\\.", "\\N", "NULL", "é€𝄞", "a\tb", "''", "{1}"]
    rows = [
        '{},P{},2024-01-01,1,1,"{}"'.format(at, at, name.replace('"', '""')) for at, name in enumerate(names)
    ]
    one(warehouse, csv_file(tmp_path, *rows, header=f"{HEADER},Product Name"))
    found = asked(warehouse, "select product_name from raw.products order by product_id")
    assert [row[0] for row in found] == names


def test_occurrences_count_all_rows_in_file_order_across_chunks(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(
        tmp_path,
        "1,P,2024-01-01,1,1",
        "1,P,2024-01-01,0,1",
        "1,P,2024-01-01,1,1",
        "2,P,2024-01-01,1,1",
        "1,P,2024-01-01,3,1",
        "1,Q,2024-01-01,3,1",
    )
    expected = [(2, "1", 1), (5, "2", 1), (6, "1", 4), (7, "1", 1)]
    quarantined = [(3, ["quantity_zero"], "1", "P", 2), (4, ["duplicate_row"], "1", "P", 3)]
    for block in (20, 10_000):
        small(monkeypatch, block)
        batch = one(warehouse, path, source=f"by {block}").batch_id
        assert (
            asked(
                warehouse,
                "select row_number, order_id, occurrence from raw.order_lines where batch_id = %s order by 1",
                batch,
            )
            == expected
        )
        assert (
            asked(
                warehouse,
                "select row_number, reasons, order_id, product_id, occurrence from raw.quarantine "
                "where batch_id = %s order by 1",
                batch,
            )
            == quarantined
        )


def test_quarantined_rows_keep_their_text_and_every_reason(warehouse: Warehouse, tmp_path: Path) -> None:
    path = bytes_file(
        tmp_path,
        HEADER.encode()
        + b'\n1,P1,2024-01-01,1,1\n2,,soon,0,-1\n3,"P3,2024-01-01,1,1\n4,P\x004,2024-01-01,1,1\n'
        b"5,P5,2024-01-01,1,1,6\n",
    )
    result = one(warehouse, path)
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (5, 1, 4)
    assert result.reasons == {
        "product_id_missing": 1,
        "unclosed_quote": 1,
        "nul_character": 1,
        "too_many_fields": 1,
    }
    assert asked(
        warehouse,
        "select row_number, reasons, raw_text, order_id, product_id, occurrence "
        "from raw.quarantine order by 1",
    ) == [
        (
            3,
            ["product_id_missing", "sale_date_invalid", "quantity_zero", "unit_price_negative"],
            "2,,soon,0,-1",
            None,
            None,
            None,
        ),
        (4, ["unclosed_quote"], '3,"P3,2024-01-01,1,1', None, None, None),
        (5, ["nul_character"], "4,P\\x004,2024-01-01,1,1", None, None, None),
        (6, ["too_many_fields"], "5,P5,2024-01-01,1,1,6", "5", "P5", 1),
    ]


def test_a_refused_file_leaves_its_counts_and_first_bad_rows_only(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = csv_file(tmp_path, *lines(10), *["x,P,2024-01-01,0,1"] * 1, *lines(1500, first=11, price="-1"))
    result = one(warehouse, path)
    assert (result.status, result.rows_read, result.rows_accepted, result.rows_quarantined) == (
        "refused", 1511, 0, 1501,
    )  # fmt: skip
    assert result.reasons == {"unit_price_negative": 1500, "quantity_zero": 1}
    assert len(result.quarantine_samples) == 20
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]
    assert asked(warehouse, "select count(*), max(row_number) from raw.quarantine") == [(1000, 1011)]
    assert asked(warehouse, "select status, rows_read, rows_accepted, rows_quarantined from raw.batches") == [
        ("refused", 1511, 0, 1501)
    ]


@pytest.mark.parametrize("data", [b"", b"no header of ours\n", HEADER.encode() + b"\n"])
def test_a_file_with_nothing_to_load_is_refused(warehouse: Warehouse, tmp_path: Path, data: bytes) -> None:
    result = one(warehouse, bytes_file(tmp_path, data))
    assert (result.status, result.rows_read) == ("refused", 0)
    assert result.message
    assert asked(warehouse, "select status, message from raw.batches") == [("refused", result.message)]


def test_progress_tells_rows_and_bytes(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, 5_000)
    path = csv_file(tmp_path, *lines(1_000))
    told: list[Progress] = []
    land(warehouse.urls.owner, LandingRequest((path,)), told.append)
    assert len(told) > 3
    assert [step.rows_read for step in told] == sorted(step.rows_read for step in told)
    last = told[-1]
    size = path.stat().st_size
    assert (last.file_name, last.rows_read, last.rows_accepted, last.rows_quarantined) == (
        "sales.csv",
        1_000,
        1_000,
        0,
    )
    assert (last.bytes_read, last.bytes_total) == (size, size)
    assert all(step.bytes_read < size for step in told[:-1])


def test_online_retail_lands_with_its_known_counts(warehouse: Warehouse, test_data: Path) -> None:
    path = test_data / "online_retail.csv.gz"
    result = one(warehouse, path)
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (541_909, 536_638, 5_271)
    assert result.reasons == {"duplicate_row": 5_269, "unit_price_negative": 2}
    kept = one(warehouse, path, duplicate_rows="keep")
    assert (kept.status, kept.rows_accepted, kept.reasons) == ("landed", 541_907, {"unit_price_negative": 2})
    assert asked(
        warehouse,
        """
        select count(*), sum(quantity * unit_price), count(distinct customer_id),
            count(distinct (order_id, product_id, occurrence))
        from raw.order_lines
        where batch_id = %s
        """,
        result.batch_id,
    ) == [(536_638, Decimal("9748127.174"), 4_372, 536_638)]


def test_chinook_lands_whole(warehouse: Warehouse, test_data: Path) -> None:
    result = one(warehouse, test_data / "chinook.csv")
    assert (result.rows_read, result.rows_accepted, result.reasons) == (2_240, 2_240, {})
    assert asked(warehouse, "select sum(quantity * unit_price) from raw.order_lines") == [
        (Decimal("2328.60"),)
    ]


def test_a_file_is_on_record_under_the_name_that_it_was_given(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, *lines(30))
    assert one(warehouse, path, names=("march.csv",)).file_name == "march.csv"
    assert asked(warehouse, "select file_name from raw.batches") == [("march.csv",)]


def test_a_dry_run_gives_every_row_that_it_rejects(tmp_path: Path) -> None:
    first = csv_file(tmp_path, *lines(30), "1,P,soon,1,1", name="a.csv")
    second = csv_file(tmp_path, *lines(30), "1,P,2024-01-01,0,1", "2,P,2024-01-01,0,1", name="b.csv")
    kept: list[tuple[int, int]] = []
    check(
        LandingRequest((first, second)),
        lambda _: None,
        lambda number, rows: kept.extend((number, row.row_number) for row in rows),
    )
    assert kept == [(1, 32), (2, 32), (2, 33)]


def test_a_dry_run_tells_what_landing_would(warehouse: Warehouse, tmp_path: Path) -> None:
    path = csv_file(tmp_path, *lines(30), "1,P,soon,1,1", "2,P,2024-01-01,1,1")
    [dry] = check(LandingRequest((path,)), lambda _: None)
    wet = one(warehouse, path)
    assert (dry.batch_id, dry.status) == (None, "checked")
    assert (dry.rows_read, dry.rows_accepted, dry.reasons, dry.quarantine_samples) == (
        wet.rows_read, wet.rows_accepted, wet.reasons, wet.quarantine_samples,
    )  # fmt: skip
    assert (wet.rows_read, wet.rows_accepted, wet.reasons) == (
        32, 30, {"sale_date_invalid": 1, "duplicate_row": 1},
    )  # fmt: skip
