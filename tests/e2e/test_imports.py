"""Uploads on a running stack: dry run, load, rejects, kill and cancel."""

import shutil
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.test_stack import HEADER, follow, kill_run_worker, lines, total, wait_until

IMPORTS = "/api/v1/imports"
GOOD = [f"G{n},P{n},C{n},Thing,Things,Asia,2024-03-{n:02},2,10.25" for n in range(1, 26)]
BAD = {27: "B1,P1,C1,Thing,Things,Asia,no date,2,10.00", 28: "B2,P2,C2,Thing,Things,Asia,2024-03-01,0,-1"}
TEXT = HEADER + "".join(f"{row}\n" for row in (*GOOD, *BAD.values()))
WRONG = {27: ["sale_date_invalid"], 28: ["quantity_zero", "unit_price_negative"]}

pytestmark = pytest.mark.timeout(600)


def upload(stack: Stack, text: str, **query: Any) -> str:
    """Upload one file; the address of its import."""
    answer = stack.api.post(IMPORTS, files={"file": ("../march.csv", text)}, params=query)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["Location"])


def rejects(stack: Stack, location: str) -> dict[int, list[str]]:
    rows = stack.api.get(f"{location}/rejects").json()["data"]
    assert {row["row_number"]: row["raw_text"] for row in rows} == BAD
    assert {row["file_name"] for row in rows} == {"march.csv"}
    return {row["row_number"]: row["reasons"] for row in rows}


def uploaded(stack: Stack) -> list[str]:
    return [path.name for path in (stack.home / "uploads").iterdir()]


def batches(stack: Stack) -> int:
    return int(stack.rows("select count(*) from raw.batches")[0][0])


def test_a_dry_run_shows_what_a_load_would_do_and_changes_nothing(stack: Stack) -> None:
    location = upload(stack, TEXT, dry_run=True)
    job = follow(stack, location)
    assert (job["status"], job["message"]) == ("succeeded", "Checked; nothing was loaded."), job
    [file] = job["files"]
    assert {name: file[name] for name in ("status", "rows_read", "rows_accepted", "rows_quarantined")} == {
        "status": "checked",
        "rows_read": 27,
        "rows_accepted": 25,
        "rows_quarantined": 2,
    }
    assert file["reasons"] == {"sale_date_invalid": 1, "quantity_zero": 1}
    assert rejects(stack, location) == WRONG
    assert batches(stack) == 0
    assert stack.api.get("/api/v1/revenue/total").status_code == 503
    # Its files are kept to be loaded; the other tests look at theirs alone.
    assert uploaded(stack) == [job["id"]]
    shutil.rmtree(stack.home / "uploads" / job["id"])


def test_a_loaded_upload_changes_the_numbers_and_tells_what_it_rejected(stack: Stack) -> None:
    location = upload(stack, TEXT, source="shop")
    job = follow(stack, location)
    assert job["status"] == "succeeded", job
    assert job["build_id"] == 1
    assert total(stack) == "512.50"
    [file] = job["files"]
    assert (file["name"], file["status"], file["rows_accepted"], file["rows_quarantined"]) == (
        "march.csv", "landed", 25, 2,
    )  # fmt: skip
    assert job["counts"]["rows_read"] == 27
    assert rejects(stack, location) == WRONG
    [batch] = stack.api.get("/api/v1/batches").json()["data"]
    assert (batch["file_name"], batch["source"], batch["requested_by"]) == ("march.csv", "shop", "api")
    wait_until(lambda: uploaded(stack) == [])


def test_a_refused_upload_has_failed_and_changed_nothing(stack: Stack) -> None:
    before = total(stack)
    job = follow(stack, upload(stack, "Order ID,Region\n1,Asia\n"))
    assert (job["status"], job["problem"]["code"]) == ("failed", "file_refused")
    assert job["problem"]["detail"].startswith("march.csv: ")
    assert job["files"][0]["status"] == "refused"
    assert total(stack) == before
    wait_until(lambda: uploaded(stack) == [])


def test_an_import_whose_worker_is_killed_is_tried_once_more_with_its_files(stack: Stack) -> None:
    before = Decimal(total(stack))
    location = upload(stack, lines("K", 150_000, "1.00"))
    wait_until(lambda: stack.api.get(location).json()["data"]["status"] == "running")
    kill_run_worker(stack)
    assert len(uploaded(stack)) == 1
    wait_until(lambda: Decimal(total(stack)) == before + 150_000, seconds=240)
    assert follow(stack, location)["status"] == "succeeded"
    wait_until(lambda: uploaded(stack) == [])


def test_a_canceled_import_leaves_no_batch_behind_it_half_landed(stack: Stack) -> None:
    before = total(stack)
    location = upload(stack, lines("C", 400_000, "1.00"))
    wait_until(lambda: "progress" in stack.api.get(location).json()["data"]["counts"])
    canceled = stack.api.delete(location)
    assert canceled.status_code == 202
    assert follow(stack, location)["status"] == "canceled"
    wait_until(lambda: uploaded(stack) == [])
    assert total(stack) == before
    # The next refresh closes a batch that was broken off, and builds one that had landed just before.
    assert follow(stack, stack.api.post("/refresh").headers["Location"])["status"] == "succeeded"
    [(status, accepted)] = stack.rows(
        "select status, rows_accepted from raw.batches order by batch_id desc limit 1"
    )
    assert (status, accepted) in {("failed", 0), ("landed", 400_000)}
    assert Decimal(total(stack)) == Decimal(before) + accepted


def test_a_canceled_dry_run_is_canceled(stack: Stack) -> None:
    location = upload(stack, lines("C", 2_000_000, "1.00"), dry_run=True)
    wait_until(lambda: "progress" in stack.api.get(location).json()["data"]["counts"])
    assert stack.api.delete(location).status_code == 202
    assert follow(stack, location)["status"] == "canceled"
    wait_until(lambda: uploaded(stack) == [])
