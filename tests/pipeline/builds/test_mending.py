"""Deliveries taken back and put back, and rejected rows that come in later: equal to a full build."""

from pathlib import Path

import pytest

from pipeline.landing import BatchResult, LandingError
from pipeline.landing.corrected import Rejected, write_rejects
from pipeline.landing.originals import original
from pipeline.landing.replaying import ReplayRequest, replay
from pipeline.landing.voiding import VoidRequest, void
from pipeline.sources import SourceSettings
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.builds.test_builds_equal_the_oracle import assert_nothing_left_for_a_full_build

HEADER = "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Campaign\n"
BY_DAY = "select sale_date::text, net_revenue::text from marts.revenue_daily order by sale_date"
LINES = "select order_id, net_revenue::float8, batch_id, row_number from core.fct_order_lines"


def delivery(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "originals"


def test_a_voided_batch_leaves_what_was_there_before_and_comes_back(workbench: Workbench, kept: Path) -> None:
    landed(workbench, delivery("1,A,2024-01-05,1,10,", "2,A,2024-01-06,1,20,"), kept)
    workbench.build()
    # Wrong: it changes the first order, and adds a third one.
    wrong = landed(workbench, delivery("1,A,2024-01-05,1,99,", "3,A,2024-02-01,1,5,"), kept)
    workbench.build()
    assert lines(workbench) == [("1", 99.0, 2, 2), ("2", 20.0, 1, 3), ("3", 5.0, 2, 3)]

    assert change(workbench, wrong)[0].status == "voided"
    published = workbench.build()
    assert lines(workbench) == [("1", 10.0, 1, 2), ("2", 20.0, 1, 3)]
    # One line has its old value again, one is gone; the other is not touched.
    assert published.rows_changed["core.fct_order_lines"] == {"written": 1, "deleted": 1}
    assert_nothing_left_for_a_full_build(workbench)

    assert change(workbench, wrong, restores=True)[0].status == "landed"
    published = workbench.build()
    assert lines(workbench) == [("1", 99.0, 2, 2), ("2", 20.0, 1, 3), ("3", 5.0, 2, 3)]
    assert published.rows_changed["core.fct_order_lines"] == {"written": 2, "deleted": 0}
    assert_nothing_left_for_a_full_build(workbench)
    assert workbench.start() is None


def test_the_only_batch_may_be_voided(workbench: Workbench, kept: Path) -> None:
    only = landed(workbench, delivery("1,A,2024-01-05,1,10,"), kept)
    workbench.build()
    change(workbench, only)
    workbench.build()
    assert lines(workbench) == []
    assert workbench.rows(BY_DAY) == []
    change(workbench, only, restores=True)
    workbench.build()
    assert lines(workbench) == [("1", 10.0, 1, 2)]


def test_a_voided_overwrite_gives_back_what_it_deleted_all_its_files_together(
    workbench: Workbench, kept: Path
) -> None:
    landed(workbench, delivery(*(f"{n},A,2024-01-05,1,10," for n in range(1, 6))), kept)
    first, second = workbench.land(
        delivery("1,A,2024-01-05,1,11,"), delivery("2,A,2024-01-05,1,12,"),
        mode="overwrite", force=True, originals=kept,
    )  # fmt: skip
    workbench.build()
    assert lines(workbench) == [("1", 11.0, 2, 2), ("2", 12.0, 3, 2)]
    results = change(workbench, first)
    assert [(result.batch_id, result.status) for result in results] == [
        (second.batch_id, "voided"), (first.batch_id, "voided"),
    ]  # fmt: skip
    workbench.build()
    assert lines(workbench) == [(str(n), 10.0, 1, n + 1) for n in range(1, 6)]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_file_may_be_loaded_again_after_it_was_voided(workbench: Workbench, kept: Path) -> None:
    text = delivery("1,A,2024-01-05,1,10,")
    first = landed(workbench, text, kept)
    assert workbench.land(text)[0].status == "skipped"
    change(workbench, first)
    assert workbench.land(text)[0].status == "landed"


def test_nights_are_voided_newest_first_and_restored_oldest_first(workbench: Workbench, kept: Path) -> None:
    full = {"mode": "overwrite", "delivery": "full", "force": True, "originals": kept}
    first = workbench.land(delivery("1,A,2024-01-05,1,10,", "2,A,2024-01-05,1,20,"), **full)[0]
    workbench.build()
    second = workbench.land(delivery("1,A,2024-01-05,1,11,", "2,A,2024-01-05,1,20,"), **full)[0]
    workbench.build()
    third = workbench.land(delivery("2,A,2024-01-05,1,22,"), **full)[0]
    workbench.build()
    with pytest.raises(LandingError, match="the full delivery 3 of source 'default' came later"):
        change(workbench, second)
    # Together they go.
    change(workbench, second, third)
    workbench.build()
    assert lines(workbench) == [("1", 10.0, first.batch_id, 2), ("2", 20.0, first.batch_id, 3)]
    with pytest.raises(LandingError, match="batch 2 of its source, which was voided since: restore that one"):
        change(workbench, third, restores=True)
    change(workbench, third, second, restores=True)
    workbench.build()
    assert lines(workbench) == [("2", 22.0, third.batch_id, 2)]
    assert_nothing_left_for_a_full_build(workbench)


@pytest.mark.parametrize("restores", [False, True])
def test_what_has_not_landed_cannot_be_voided_or_restored(workbench: Workbench, *, restores: bool) -> None:
    [refused] = workbench.land(delivery("1,A,never,1,10,"))
    assert refused.status == "refused"
    with pytest.raises(LandingError, match=r"batch 1 is refused: only a (landed|voided) one can be"):
        change(workbench, refused, restores=restores)
    with pytest.raises(LandingError, match="there is no batch 77"):
        void(workbench.connection, VoidRequest((77,), restores=restores))


def test_rows_that_a_changed_setting_accepts_join_their_batch(workbench: Workbench, kept: Path) -> None:
    text = delivery("1,A,2024-01-05,1,10.00,", '2,A,2024-01-06,1,"1,234.50",', '2,A,2024-01-06,2,"2,000.00",')
    old = landed(workbench, text, kept)
    assert (old.rows_accepted, old.rows_quarantined) == (1, 2)
    # A later delivery corrects one of them by itself.
    landed(workbench, delivery("2,A,2024-01-06,1,1000.00,"), kept)
    workbench.build()
    assert lines(workbench) == [("1", 10.0, 1, 2), ("2", 1000.0, 2, 2)]

    result = tried(workbench, old, kept, settings=SourceSettings(thousands_mark=","))
    assert (result.rows_accepted, result.rows_quarantined, result.reasons) == (2, 0, {})
    assert counts(workbench, old) == (3, 3, 0, {})
    published = workbench.build()
    # The second order's first line has its later version; its second line had none.
    assert lines(workbench) == [("1", 10.0, 1, 2), ("2", 1000.0, 2, 2), ("2", 4000.0, 1, 4)]
    assert published.rows_changed["core.fct_order_lines"] == {"written": 1, "deleted": 0}
    assert_nothing_left_for_a_full_build(workbench)


def test_corrected_rows_join_their_batch_under_their_numbers(workbench: Workbench, kept: Path) -> None:
    old = landed(
        workbench,
        delivery(
            "1,A,2024-01-05,1,10,x",
            "2,A,2024-01-06,none,20,=y",
            ",A,2024-01-07,1,30,",
            "1,A,2024-01-05,1,-5,",
        ),
        kept,
    )
    workbench.build()
    path = rejects_file(workbench, old, kept)
    assert path.read_text() == (
        "Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Campaign,tillhouse_row,tillhouse_reasons,"
        "tillhouse_text\n"
        '2,A,2024-01-06,none,20,\'=y,3,quantity_not_integer,"2,A,2024-01-06,none,20,=y"\n'
        ',A,2024-01-07,1,30,,4,order_id_missing,",A,2024-01-07,1,30,"\n'
        '1,A,2024-01-05,1,\'-5,,5,unit_price_negative,"1,A,2024-01-05,1,-5,"\n'
    )
    path.write_text(
        path.read_text().replace(",none,", ",2,").replace(",A,2024-01-07,1,30", "1,A,2024-01-07,1,30")
    )
    result = tried(workbench, old, kept, corrected=path)
    assert (result.rows_accepted, result.rows_quarantined) == (2, 1)
    assert result.reasons == {"unit_price_negative": 1}
    assert counts(workbench, old) == (4, 3, 1, {"unit_price_negative": 1})
    stored = "select row_number, order_id, occurrence, extra ->> 'Campaign' from raw.order_lines order by 1"
    # The broken row 5 is the pair's second one, so the one that only now has an order is its third.
    assert workbench.rows(stored) == [(2, "1", 1, "x"), (3, "2", 1, "=y"), (4, "1", 3, None)]
    workbench.build()
    assert lines(workbench) == [("1", 10.0, 1, 2), ("1", 30.0, 1, 4), ("2", 40.0, 1, 3)]
    assert_nothing_left_for_a_full_build(workbench)
    with pytest.raises(LandingError, match="line 2 of the corrected rows: tillhouse_row names none"):
        tried(workbench, old, kept, corrected=path)


def test_corrected_rows_of_a_night_do_not_take_the_place_of_what_it_left_as_it_was(
    workbench: Workbench, kept: Path
) -> None:
    full = {"mode": "overwrite", "delivery": "full", "originals": kept}
    workbench.land(delivery("1,A,2024-01-05,1,10,"), **full)
    workbench.build()
    [night] = workbench.land(delivery("1,A,2024-01-05,1,10,", "1,,2024-01-05,1,7,"), **full)
    workbench.build()
    path = rejects_file(workbench, night, kept)
    path.write_text(path.read_text().replace("\n1,,", "\n1,A,"))
    tried(workbench, night, kept, corrected=path)
    workbench.build()
    assert lines(workbench) == [("1", 7.0, 2, 3), ("1", 10.0, 1, 2)]
    assert_nothing_left_for_a_full_build(workbench)


def test_a_duplicate_counts_again_only_when_its_source_says_so(workbench: Workbench, kept: Path) -> None:
    old = landed(workbench, delivery("1,A,2024-01-05,1,10,", "1,A,2024-01-05,1,10,"), kept)
    path = rejects_file(workbench, old, kept)
    result = tried(workbench, old, kept, corrected=path)
    assert (result.rows_accepted, result.reasons) == (0, {"duplicate_row": 1})
    assert workbench.rows("select count(*) from raw.batch_events") == [(0,)]
    result = tried(workbench, old, kept, settings=SourceSettings(duplicate_rows="keep"))
    assert (result.rows_accepted, result.reasons) == (1, {})
    workbench.build()
    assert lines(workbench) == [("1", 10.0, 1, 2), ("1", 10.0, 1, 3)]


def test_without_its_original_only_corrected_rows_can_be_replayed(workbench: Workbench, kept: Path) -> None:
    old = landed(workbench, delivery("1,A,2024-01-05,1,10,", "2,A,2024-01-05,one,10,"), None)
    with pytest.raises(LandingError, match="its file is not kept any more"):
        tried(workbench, old, kept)
    path = workbench.folder / "corrected.csv"
    path.write_text(HEADER.strip() + ",tillhouse_row\n2,A,2024-01-05,1,10,,3\n")
    assert tried(workbench, old, kept, corrected=path).rows_accepted == 1
    workbench.build()
    assert lines(workbench) == [("1", 10.0, 1, 2), ("2", 10.0, 1, 3)]


def landed(workbench: Workbench, text: str, originals: Path | None) -> BatchResult:
    [result] = workbench.land(text, originals=originals)
    assert result.status == "landed", result.message
    return result


def change(workbench: Workbench, *batches: BatchResult, restores: bool = False) -> list[BatchResult]:
    ids = tuple(batch.batch_id or 0 for batch in batches)
    return void(workbench.connection, VoidRequest(ids, restores=restores))


def tried(
    workbench: Workbench,
    batch: BatchResult,
    originals: Path,
    settings: SourceSettings | None = None,
    corrected: Path | None = None,
) -> BatchResult:
    request = ReplayRequest(batch.batch_id or 0, settings or SourceSettings(), originals, corrected)
    return replay(workbench.connection, request)


def rejects_file(
    workbench: Workbench, batch: BatchResult, originals: Path, settings: SourceSettings | None = None
) -> Path:
    [(sha256,)] = workbench.rows(f"select sha256 from raw.batches where batch_id = {batch.batch_id}")
    rows = workbench.rows(
        f"select row_number, reasons, raw_text from raw.quarantine where batch_id = {batch.batch_id}"
    )
    rejected = {number: Rejected(tuple(reasons), text) for number, reasons, text in rows}
    path = workbench.folder / "rejected.csv"
    with original(originals, sha256) as read, path.open("w") as output:
        write_rejects(read, settings or SourceSettings(), rejected, output)
    return path


def lines(workbench: Workbench) -> list[tuple[object, ...]]:
    return sorted(workbench.rows(LINES))


def counts(workbench: Workbench, batch: BatchResult) -> tuple[object, ...]:
    [row] = workbench.rows(
        "select rows_read, rows_accepted, rows_quarantined, reasons from raw.batches"
        f" where batch_id = {batch.batch_id}"
    )
    return row
