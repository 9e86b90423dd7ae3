"""Calls of landing: what is skipped, what an overwrite may do, what a broken landing leaves."""

import os
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from pipeline.landing import (
    LandingError,
    LandingRequest,
    Progress,
    check,
    close_orphans,
    land,
    loader,
)
from pipeline.landing.batches import DeliveredFile, deliver
from pipeline.landing.contract import OrderLineContract
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, landed, lines, one, request_of, small, statuses
from tests.pipeline.landing.files import SAMPLE, csv_file


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


def test_a_dry_run_of_an_overwrite_refuses_all_files_for_one_too(tmp_path: Path) -> None:
    files = (
        csv_file(tmp_path, *lines(2), name="good.csv"),
        csv_file(tmp_path, "1,P,soon,1,1", name="bad.csv"),
        csv_file(tmp_path, *lines(3), name="last.csv"),
    )
    results = check(request_of(files, mode="overwrite"), lambda _: None)
    shared = "refused because bad.csv, a part of the same overwrite, was refused"
    assert [(r.status, r.rows_read, r.rows_accepted, r.message) for r in results] == [
        ("refused", 2, 0, shared),
        ("refused", 1, 0, "none of the 1 rows meets the contract (sale_date_invalid 1)"),
        ("refused", 3, 0, shared),
    ]
    appended = check(LandingRequest(files), lambda _: None)
    assert [(r.status, r.rows_accepted) for r in appended] == [("checked", 2), ("refused", 0), ("checked", 3)]


def test_a_refused_file_does_not_keep_others_from_being_appended(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    files = [
        csv_file(tmp_path, "1,P,soon,1,1", name="bad.csv"),
        csv_file(tmp_path, *lines(2), name="good.csv"),
    ]
    assert [r.status for r in landed(warehouse, *files)] == ["refused", "landed"]


def test_an_overwrite_that_deletes_more_than_a_fifth_needs_force(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    one(warehouse, csv_file(tmp_path, *lines(10), name="all.csv"))
    one(warehouse, csv_file(tmp_path, *lines(10, price="2"), name="corrected.csv"))
    seven = csv_file(tmp_path, *lines(7), name="seven.csv")
    refused = one(warehouse, seven, mode="overwrite")
    assert (refused.status, refused.rows_read) == ("refused", 7)
    assert refused.message == (
        "this overwrite would delete 3 of the 10 lines of source 'default', more than a fifth; "
        "if that is meant, load it with --force"
    )
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(20,)]
    eight = csv_file(tmp_path, *lines(8), name="eight.csv")
    assert one(warehouse, eight, mode="overwrite").status == "landed"
    assert one(warehouse, seven, mode="overwrite", force=True).status == "landed"
    assert one(warehouse, seven, mode="overwrite", source="new").status == "landed"


def test_a_quarantined_row_with_a_key_deletes_nothing_by_overwrite(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    one(warehouse, csv_file(tmp_path, *lines(10), name="all.csv"))
    broken = csv_file(tmp_path, *lines(7), *lines(3, first=8, price="-1"), name="broken.csv")
    assert one(warehouse, broken, mode="overwrite").status == "landed"


def test_the_guard_counts_published_lines_and_landed_ones_not_published_yet(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = one(warehouse, csv_file(tmp_path, *lines(10), name="first.csv"))
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute(
            "create table core.fct_order_lines as select batches.source, order_id, "
            "product_id || ' #' || occurrence as line_key, null::text as refund_id "
            "from raw.order_lines inner join raw.batches using (batch_id) where order_id <> '10'"
        )
        connection.execute(
            "insert into core.builds (status, is_full, requested_by) values ('published', true, 't')"
        )
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
    with pytest.raises(LandingError, match="no dot at its start"):
        landed(warehouse, SAMPLE, source=".hidden")
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


def test_a_file_swapped_between_hashing_and_reading_is_not_landed(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(tmp_path, *lines(10))
    other = csv_file(tmp_path, *lines(10, price="2"), name="other.csv")

    def deliver_and_swap(asked_for: Path, name: str | None = None) -> DeliveredFile:
        delivered = deliver(asked_for, name)
        other.replace(asked_for)
        return delivered

    monkeypatch.setattr(loader, "deliver", deliver_and_swap)
    with pytest.raises(LandingError, match="changed while it was read"):
        landed(warehouse, path)
    assert statuses(warehouse) == ["failed"]
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]


def test_a_file_that_was_another_one_while_it_was_read_is_not_landed(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(tmp_path, *lines(10))
    kept, other = tmp_path / "kept.csv", csv_file(tmp_path, *lines(10, price="2"), name="other.csv")
    os.link(path, kept)

    def deliver_and_swap(asked_for: Path, name: str | None = None) -> DeliveredFile:
        delivered = deliver(asked_for, name)
        other.replace(asked_for)
        return delivered

    monkeypatch.setattr(loader, "deliver", deliver_and_swap)
    with pytest.raises(LandingError, match="changed while it was read"):
        land(warehouse.urls.owner, LandingRequest((path,)), lambda _: os.replace(kept, path))
    assert statuses(warehouse) == ["failed"]


@pytest.mark.parametrize("rows", [lines(10), [*lines(30), "1,P,soon,1,1"]], ids=["all good", "one bad"])
def test_a_row_that_checking_loses_breaks_the_landing_off(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str]
) -> None:
    # A price with a sign is valid, and rare enough that its row is tried rule by rule.
    path = csv_file(tmp_path, *(f"{row.removesuffix('1')}+1" for row in rows))
    judge = OrderLineContract.filter

    def lose_a_row(values: Any) -> Any:
        good, failures = judge(values)
        return good.head(good.height - 1), failures

    monkeypatch.setattr(OrderLineContract, "filter", lose_a_row)
    accepted, bad = (9, 0) if len(rows) == 10 else (29, 1)
    said = (
        f"sales.csv: {len(rows)} rows read, but {accepted} accepted and {bad} quarantined; nothing was landed"
    )
    with pytest.raises(LandingError, match=said):
        check(LandingRequest((path,)), lambda _: None)
    with pytest.raises(LandingError, match=said):
        landed(warehouse, path)
    assert statuses(warehouse) == ["failed"]
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]
    assert asked(warehouse, "select count(*) from raw.quarantine") == [(0,)]


def test_an_error_of_the_database_is_told_and_recorded(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        connection.execute("alter table raw.products add constraint no_phone check (product_id <> 'P456')")
    with pytest.raises(LandingError, match=r"the database broke off the landing.*no_phone"):
        landed(warehouse, SAMPLE)
    assert statuses(warehouse) == ["failed"]
    assert asked(warehouse, "select count(*) from raw.order_lines") == [(0,)]


def test_orphans_are_closed(warehouse: Warehouse) -> None:
    one(warehouse, SAMPLE)
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "insert into raw.batches "
            "(batch_id, call_id, source, mode, options, status, file_name, requested_by) "
            "values (99, 99, 'default', 'append', %s, 'running', 'x.csv', 'cli')",
            (Jsonb({}),),
        )
        connection.commit()
        assert close_orphans(connection) == 1
        assert close_orphans(connection) == 0
    assert asked(
        warehouse, "select status, message, finished_at is null from raw.batches where batch_id = 99"
    ) == [("failed", "the process ended before the batch was complete", False)]
    assert statuses(warehouse) == ["landed", "failed"]
