"""Files into the raw tables: what lands, what is skipped, refused, guarded."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from pipeline.landing import BatchResult, LandingError, LandingRequest, Progress, check, close_orphans, land
from pipeline.landing import checking as checking_module
from pipeline.landing.keys import version_key
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.landing.files import HEADER, SAMPLE, bytes_file, csv_file


def landed(warehouse: Warehouse, *paths: Path, **options: Any) -> list[BatchResult]:
    return land(warehouse.urls.owner, LandingRequest(paths, **options), lambda _: None)


def one(warehouse: Warehouse, path: Path, **options: Any) -> BatchResult:
    [result] = landed(warehouse, path, **options)
    return result


def asked(warehouse: Warehouse, query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        return connection.execute(query, values).fetchall()


def statuses(warehouse: Warehouse) -> list[str]:
    return [row[0] for row in asked(warehouse, "select status from raw.batches order by batch_id")]


def lines(count: int, *, first: int = 1, price: str = "1") -> list[str]:
    return [f"{number},P,2024-01-01,1,{price}" for number in range(first, first + count)]


def test_the_six_lines_land_exactly(warehouse: Warehouse) -> None:
    result = one(warehouse, SAMPLE)
    assert (result.batch_id, result.status, result.rows_read, result.rows_accepted) == (1, "landed", 6, 6)
    assert (result.first_sale_date, result.last_sale_date) == (date(2023, 12, 15), date(2024, 5, 18))
    product = version_key(["P123", "UltraBoost Running Shoes", "Shoes"])
    customer = version_key(
        ["C456", "John Smith", "johnsmith@email.com", "123 Main St, Anytown, CA 12345"]
    )
    assert asked(warehouse, "select * from raw.order_lines order by row_number")[0] == (
        1, 2, 1, date(2023, 12, 15), 2, product, customer, "1001", "P123", "C456", "North America",
        "Credit Card", Decimal("180.000000"), Decimal("0.100000"), Decimal("10.000000"), None, None,
    )  # fmt: skip
    assert asked(
        warehouse, "select row_number, product_id, product_name, category from raw.products order by 1"
    ) == [
        (2, "P123", "UltraBoost Running Shoes", "Shoes"),
        (3, "P456", "iPhone 15 Pro", "Electronics"),
        (4, "P789", "Levi's 501 Jeans", "Clothing"),
        (6, "P234", "Sony WH-1000XM5 Headphones", "Electronics"),
    ]
    assert asked(warehouse, "select row_number, customer_id, customer_address from raw.customers order by 1") == [
        (2, "C456", "123 Main St, Anytown, CA 12345"),
        (3, "C789", "456 Elm St, Otherville, NY 54321"),
        (5, "C101", "789 Oak St, New City, TX 75024"),
    ]
    assert asked(
        warehouse,
        "select call_id, feed, source, mode, options, file_name, size_bytes, sha256, rows_read, rows_accepted, "
        "rows_quarantined, reasons, message, requested_by from raw.batches",
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
        "select order_id, product_id, sale_date, quantity, unit_price, customer_id, customer_key is null, region, "
        "payment_method, discount, shipping, unit_cost, extra from raw.order_lines order by row_number",
    ) == [
        (
            "1", "P1", date(2024, 1, 1), 2, Decimal("0.5"), None, True, "Unspecified", "Unspecified", 0, 0, None,
            {"Till": "7", "Note": 'say "hi", é'},
        ),
        (
            "2", "P2", date(2024, 1, 2), -1, Decimal(5), "C1", False, "Asia", "Unspecified", Decimal("0.25"), 0,
            None, None,
        ),
    ]  # fmt: skip
    assert asked(warehouse, "select product_id, product_name, category from raw.products order by 1") == [
        ("P1", None, "Unspecified"),
        ("P2", "Tea", "Unspecified"),
    ]


def test_text_of_any_kind_arrives_as_it_is(warehouse: Warehouse, tmp_path: Path) -> None:
    names = ['a\rb', "a\nb", '"', "\\.", "\\N", "NULL", "é€𝄞", "a\tb", "''", "{1}"]
    rows = ['{},P{},2024-01-01,1,1,"{}"'.format(at, at, name.replace('"', '""')) for at, name in enumerate(names)]
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


def small(monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    """Read in blocks of this size."""
    original = checking_module.OrderLineFile
    monkeypatch.setattr(checking_module, "OrderLineFile", lambda path, _: original(path, block_bytes))


def test_quarantined_rows_keep_their_text_and_every_reason(warehouse: Warehouse, tmp_path: Path) -> None:
    path = bytes_file(
        tmp_path,
        HEADER.encode() + b'\n1,P1,2024-01-01,1,1\n2,,soon,0,-1\n3,"P3,2024-01-01,1,1\n4,P\x004,2024-01-01,1,1\n'
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
        "select row_number, reasons, raw_text, order_id, product_id, occurrence from raw.quarantine order by 1",
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


def test_a_refused_file_leaves_its_counts_and_first_bad_rows_only(warehouse: Warehouse, tmp_path: Path) -> None:
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


def test_the_same_file_again_is_skipped(warehouse: Warehouse) -> None:
    one(warehouse, SAMPLE)
    again = one(warehouse, SAMPLE)
    assert (again.status, again.rows_read) == ("skipped", 0)
    assert again.message == "the same file, read the same way, is batch 1; nothing to land"
    assert one(warehouse, SAMPLE, duplicate_rows="keep").status == "landed"
    assert one(warehouse, SAMPLE, source="other").status == "landed"
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(18,)]


def test_only_the_latest_effective_batch_makes_a_file_skippable(warehouse: Warehouse, tmp_path: Path) -> None:
    first = csv_file(tmp_path, *lines(2), name="first.csv")
    second = csv_file(tmp_path, *lines(2, price="2"), name="second.csv")
    assert [one(warehouse, path, mode="overwrite").status for path in (first, second, first, first)] == [
        "landed", "landed", "landed", "skipped",
    ]  # fmt: skip
    asked(warehouse, "update raw.batches set status = 'voided' where batch_id = 3 returning 1")
    assert one(warehouse, first, mode="overwrite").status == "landed"
    refused = csv_file(tmp_path, name="refused.csv")
    assert one(warehouse, refused, mode="overwrite").status == "refused"
    assert one(warehouse, first, mode="overwrite").status == "skipped"


def test_a_call_of_several_files_is_skipped_when_it_equals_the_latest_call(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = csv_file(tmp_path, *lines(2), name="first.csv")
    second = csv_file(tmp_path, *lines(2, first=3), name="second.csv")
    for mode, source in (("overwrite", "a"), ("append", "b")):
        options = {"mode": mode, "source": source, "force": True}
        assert [r.status for r in landed(warehouse, first, second, **options)] == ["landed", "landed"]
        assert [r.status for r in landed(warehouse, first, second, **options)] == ["skipped", "skipped"]
        # In append mode the second file is the source's latest batch: it is in already.
        turned = ["landed", "landed"] if mode == "overwrite" else ["skipped", "landed"]
        assert [r.status for r in landed(warehouse, second, first, **options)] == turned
    assert asked(
        warehouse, "select array_agg(batch_id order by batch_id) from raw.batches group by call_id order by 1"
    ) == [([1, 2],), ([3, 4],), ([5, 6],), ([7, 8],), ([9, 10],), ([11, 12],)]
    # A part of an overwrite is not the whole truth; an appended file is in already.
    assert landed(warehouse, first, mode="overwrite", source="a", force=True)[0].status == "landed"
    assert landed(warehouse, first, source="b")[0].status == "skipped"


def test_one_refused_file_refuses_the_whole_overwrite(warehouse: Warehouse, tmp_path: Path) -> None:
    files = [
        csv_file(tmp_path, *lines(2), name="good.csv"),
        csv_file(tmp_path, "1,P,soon,1,1", name="bad.csv"),
        csv_file(tmp_path, *lines(2), name="last.csv"),
    ]
    results = landed(warehouse, *files, mode="overwrite")
    assert [(r.status, r.rows_read, r.rows_accepted) for r in results] == [
        ("refused", 2, 0), ("refused", 1, 0), ("refused", 0, 0),
    ]  # fmt: skip
    assert results[0].message == "refused because bad.csv, a part of the same overwrite, was refused"
    assert results[1].message == "none of the 1 rows meets the contract (sale_date_invalid 1)"
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]
    assert asked(warehouse, "select batch_id, row_number from raw.quarantine") == [(2, 2)]


def test_a_refused_file_does_not_keep_others_from_being_appended(warehouse: Warehouse, tmp_path: Path) -> None:
    files = [csv_file(tmp_path, "1,P,soon,1,1", name="bad.csv"), csv_file(tmp_path, *lines(2), name="good.csv")]
    assert [r.status for r in landed(warehouse, *files)] == ["refused", "landed"]


def test_an_overwrite_that_deletes_more_than_a_fifth_needs_force(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, *lines(10), name="all.csv"))
    seven = csv_file(tmp_path, *lines(7), name="seven.csv")
    refused = one(warehouse, seven, mode="overwrite")
    assert (refused.status, refused.rows_read) == ("refused", 7)
    assert refused.message == (
        "this overwrite would delete 3 of the 10 lines of source 'default', more than a fifth; "
        "if that is meant, force it"
    )
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(10,)]
    eight = csv_file(tmp_path, *lines(8), name="eight.csv")
    assert one(warehouse, eight, mode="overwrite").status == "landed"
    assert one(warehouse, seven, mode="overwrite", force=True).status == "landed"
    assert one(warehouse, seven, mode="overwrite", source="new").status == "landed"


def test_a_quarantined_row_with_a_key_deletes_nothing_by_overwrite(warehouse: Warehouse, tmp_path: Path) -> None:
    one(warehouse, csv_file(tmp_path, *lines(10), name="all.csv"))
    broken = csv_file(tmp_path, *lines(7), *lines(3, first=8, price="-1"), name="broken.csv")
    assert one(warehouse, broken, mode="overwrite").status == "landed"


def test_the_guard_counts_published_lines_and_landed_ones_not_published_yet(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = one(warehouse, csv_file(tmp_path, *lines(10), name="first.csv"))
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute(
            "create table core.fct_order_lines as select batches.source, order_id, product_id, occurrence "
            "from raw.order_lines inner join raw.batches using (batch_id) where order_id <> '10'"
        )
        connection.execute("insert into core.builds (status, is_full, requested_by) values ('published', true, 't')")
        connection.execute("insert into core.build_batches values (1, %s)", (first.batch_id,))
    # Nine lines are published, two more are landed only.
    one(warehouse, csv_file(tmp_path, *lines(3, first=9), name="second.csv"))
    result = one(warehouse, csv_file(tmp_path, *lines(5), name="third.csv"), mode="overwrite")
    assert result.message is not None
    assert result.message.startswith("this overwrite would delete 6 of the 11 lines")


def test_a_missing_file_is_an_error_before_anything_is_written(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(LandingError, match=r"none\.csv: there is no such file"):
        landed(warehouse, SAMPLE, tmp_path / "none.csv")
    with pytest.raises(LandingError, match="is a folder"):
        landed(warehouse, tmp_path)
    with pytest.raises(LandingError, match="cannot be a source's name"):
        landed(warehouse, SAMPLE, source="a/b")
    with pytest.raises(LandingError, match="no file was named"):
        landed(warehouse)
    assert statuses(warehouse) == []


def test_a_landing_that_breaks_off_leaves_a_failed_batch_and_no_rows(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, 2_000)
    path = csv_file(tmp_path, *lines(1_000))

    def give_up(progress: Progress) -> None:
        if progress.rows_read > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        land(warehouse.urls.owner, LandingRequest((path,)), give_up)
    assert asked(warehouse, "select status, message, rows_accepted from raw.batches") == [
        ("failed", "interrupted", 0)
    ]
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]
    assert one(warehouse, path).rows_accepted == 1_000


def test_a_file_that_changes_while_it_is_read_is_not_landed(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(tmp_path, *lines(10))

    def append(_: Progress) -> None:
        path.write_text(path.read_text() + "11,P,2024-01-01,1,1\n")

    with pytest.raises(LandingError, match="changed while it was read"):
        land(warehouse.urls.owner, LandingRequest((path,)), append)
    assert statuses(warehouse) == ["failed"]


def test_an_error_of_the_database_is_told_and_recorded(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute("alter table raw.products add constraint no_phone check (product_id <> 'P456')")
    with pytest.raises(LandingError, match="the database broke off the landing.*no_phone"):
        landed(warehouse, SAMPLE)
    assert statuses(warehouse) == ["failed"]
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]


def test_orphans_are_closed(warehouse: Warehouse) -> None:
    one(warehouse, SAMPLE)
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "insert into raw.batches (batch_id, call_id, source, mode, options, status, file_name, requested_by) "
            "values (99, 99, 'default', 'append', %s, 'running', 'x.csv', 'cli')",
            (Jsonb({}),),
        )
        connection.commit()
        assert close_orphans(connection) == 1
        assert close_orphans(connection) == 0
    assert asked(warehouse, "select status, message, finished_at is null from raw.batches where batch_id = 99") == [
        ("failed", "the process ended before the batch was complete", False)
    ]
    assert statuses(warehouse) == ["landed", "failed"]


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
    assert (last.file_name, last.rows_read, last.rows_accepted, last.rows_quarantined) == ("sales.csv", 1_000, 1_000, 0)
    assert (last.bytes_read, last.bytes_total) == (size, size)


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
    assert asked(warehouse, "select sum(quantity * unit_price) from raw.order_lines") == [(Decimal("2328.60"),)]


def damaged(edits: Sequence[tuple[int, bytes]]) -> bytes:
    data = bytearray(SAMPLE.read_bytes() + b'1007,P1,C1,"Tea, ""green""",T,Asia,2024-06-01,1,2.50,0,0,Cash,A,a@b.example,X\n')
    header = data.index(b"\n") + 1
    for at, piece in edits:
        position = header + at % (len(data) - header)
        data[position : position + len(piece)] = piece
    return bytes(data)


EDITS = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"-", b'","', b"9" * 30, b" "])
        | st.binary(min_size=1, max_size=4),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_damaged_bytes_never_break_the_balance(warehouse: Warehouse, tmp_path: Path, edits: list[tuple[int, bytes]]) -> None:
    result = one(warehouse, bytes_file(tmp_path, damaged(edits)), force=True)
    assert result.status in ("landed", "refused", "skipped")
    if result.status == "landed":
        assert result.rows_read == result.rows_accepted + result.rows_quarantined
        assert asked(
            warehouse,
            "select (select count(*) from raw.order_lines where batch_id = %s), "
            "(select count(*) from raw.quarantine where batch_id = %s)",
            result.batch_id,
            result.batch_id,
        ) == [(result.rows_accepted, result.rows_quarantined)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_a_dry_run_of_damaged_bytes_balances_too(tmp_path: Path, edits: list[tuple[int, bytes]]) -> None:
    [result] = check(LandingRequest((bytes_file(tmp_path, damaged(edits)),)), lambda _: None)
    if result.status == "checked":
        assert result.rows_read == result.rows_accepted + result.rows_quarantined


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
