"""The dry run of an upload, run in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.assets import imports
from pipeline.assets.session import JOB_ID_TAG
from pipeline.landing import LandingRequest, land
from pipeline.warehouse.connect import connect
from pipeline.warehouse.locks import lock_askers
from tests.conftest import Warehouse
from tests.pipeline.assets.conftest import MakeJob
from tests.pipeline.landing.files import csv_file

Ask = Callable[..., list[tuple[Any, ...]]]
GOOD = [f"{n},P,2024-01-01,1,1" for n in range(60)]
BAD = ["60,P,soon,0,1", "0,P,2024-01-01,1,1"]
REASONS = [(["sale_date_invalid", "quantity_zero"], 62), (["duplicate_row"], 63)]
HOW = "select status, message, problem ->> 'detail', result -> 'files' -> 0 from app.jobs where job_id = %s"

pytestmark = pytest.mark.usefixtures("run_settings")


def upload(warehouse: Warehouse, job_id: str, *rows: str) -> Path:
    """A file as the API stores it for a job."""
    folder = warehouse.settings.uploads_folder / job_id
    folder.mkdir(parents=True)
    return csv_file(folder, *rows, name="1.csv")


def run(job_id: str, path: Path) -> dg.ExecuteInProcessResult:
    config = {"files": [str(path)], "file_names": ["march.csv"]}
    with dg.DagsterInstance.ephemeral() as instance:
        return imports.check_import.execute_in_process(
            run_config={"ops": {"check_files": {"config": config}}},
            tags={JOB_ID_TAG: job_id},
            instance=instance,
            raise_on_error=False,
        )


def test_it_says_what_landing_would_and_keeps_every_rejected_row(
    warehouse: Warehouse, make_job: MakeJob, ask: Ask
) -> None:
    job_id = make_job("check")
    path = upload(warehouse, job_id, *GOOD, *BAD)
    copy = csv_file(warehouse.settings.home, *GOOD, *BAD, name="march.csv")
    assert run(job_id, path).success
    [(status, message, problem, file)] = ask(HOW, job_id)
    assert (status, message, problem) == ("succeeded", imports.CHECKED, None)
    assert ask("select count(*) from raw.batches") == [(0,)]
    [wet] = land(warehouse.urls.owner, LandingRequest((copy,)), lambda _: None)
    assert file == {
        "name": "march.csv",
        "status": "checked",
        "batch_id": None,
        "rows_read": wet.rows_read,
        "rows_accepted": wet.rows_accepted,
        "rows_quarantined": 2,
        "reasons": wet.reasons,
        "message": None,
    }
    kept = "select reasons, row_number, raw_text from app.import_rejects order by row_number"
    assert [row[:2] for row in ask(kept)] == REASONS
    assert ask(kept) == ask("select reasons, row_number, raw_text from raw.quarantine order by row_number")
    # To be loaded, when its sender has seen what is wrong.
    assert path.is_file()


def test_of_a_refused_file_every_rejected_row_is_kept(
    warehouse: Warehouse, make_job: MakeJob, ask: Ask
) -> None:
    job_id = make_job("check")
    assert run(job_id, upload(warehouse, job_id, *(f"{n},P,soon,1,1" for n in range(3_000)))).success
    [(status, _, _, file)] = ask(HOW, job_id)
    assert (status, file["status"], file["rows_quarantined"]) == ("succeeded", "refused", 3_000)
    assert ask("select count(*), min(row_number), max(row_number) from app.import_rejects") == [
        (3_000, 2, 3_001)
    ]


def test_a_second_try_leaves_no_row_twice(warehouse: Warehouse, make_job: MakeJob, ask: Ask) -> None:
    job_id = make_job("check")
    path = upload(warehouse, job_id, *GOOD, *BAD)
    run(job_id, path)
    assert run(job_id, path).success
    assert ask("select count(*) from app.import_rejects") == [(2,)]


def test_a_file_that_is_gone_fails_the_job_with_its_name_and_no_path(
    make_job: MakeJob, ask: Ask, tmp_path: Path
) -> None:
    job_id = make_job("check")
    assert not run(job_id, tmp_path / "gone.csv").success
    [(status, _, problem, file)] = ask(HOW, job_id)
    assert (status, problem, file) == ("failed", "march.csv: there is no such file", None)


def test_a_fault_is_not_told_to_the_caller_but_to_dagsters_log(
    warehouse: Warehouse, make_job: MakeJob, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = make_job("check")

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(imports, "check", broken)
    result = run(job_id, upload(warehouse, job_id, *GOOD))
    told = f"A fault of the service; the log of Dagster's run {result.run_id} has the details."
    assert ask(HOW, job_id) == [("failed", told, told, None)]
    assert "secret detail" in str(result.all_events)


def test_a_job_that_was_canceled_before_it_began_does_nothing(
    warehouse: Warehouse, make_job: MakeJob, ask: Ask
) -> None:
    job_id = make_job("check", status="canceled")
    assert not run(job_id, upload(warehouse, job_id, *GOOD)).success
    assert ask(HOW, job_id) == [("canceled", None, None, None)]


def test_a_run_that_is_interrupted_is_canceled_and_keeps_no_file(
    warehouse: Warehouse, make_job: MakeJob, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = make_job("check")
    path = upload(warehouse, job_id, *GOOD, *BAD)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(imports, "check", interrupted)
    assert not run(job_id, path).success
    assert ask(HOW, job_id)[0][0] == "canceled"
    assert ask("select count(*) from app.import_rejects") == [(0,)]
    assert not path.parent.exists()


def test_a_run_without_the_refresh_lock_is_known_to_be_alive(
    warehouse: Warehouse, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = make_job("check")
    alive: set[str] = set()

    def look(*_: object) -> list[Any]:
        with connect(warehouse.urls.owner) as connection:
            alive.update(lock_askers(connection))
        return []

    monkeypatch.setattr(imports, "check", look)
    assert run(job_id, upload(warehouse, job_id, *GOOD)).run_id in alive
