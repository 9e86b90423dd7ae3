"""What the daily cleanup removes, and what it leaves."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from pipeline.assets.cleanup import KEPT_DAYS, clean_up
from pipeline.assets.uploads import remove_upload
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.assets.conftest import MakeJob

NOW = 1_800_000_000.0
HOUR = 3_600
DAY = 24 * HOUR


def old(path: Path, seconds: float) -> None:
    os.utime(path, (NOW - seconds, NOW - seconds))


def clean(warehouse: Warehouse) -> int:
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        return clean_up(connection, warehouse.settings, NOW)


def test_uploads_that_no_job_needs_go_after_a_day(warehouse: Warehouse, make_job: MakeJob) -> None:
    folder = warehouse.settings.uploads_folder
    folder.mkdir(parents=True)
    waiting, ended = make_job("import"), make_job("import", status="failed")
    for name, seconds in ((waiting, 9 * DAY), (ended, 2 * DAY), ("crashed", 2 * DAY), ("under way", HOUR)):
        (folder / name).mkdir()
        (folder / name / "1.csv").write_text("x")
        old(folder / name, seconds)
    assert clean(warehouse) == 2
    assert {path.name for path in folder.iterdir()} == {waiting, "under way"}
    assert clean(warehouse) == 0


def test_exports_go_after_a_week(warehouse: Warehouse) -> None:
    folder = warehouse.settings.exports_folder
    folder.mkdir(parents=True)
    for name, days in (("new.csv", KEPT_DAYS - 1), ("old.csv", KEPT_DAYS + 1), (".old.part", KEPT_DAYS + 1)):
        (folder / name).write_text("x")
        old(folder / name, days * DAY)
    assert clean(warehouse) == 2
    assert [path.name for path in folder.iterdir()] == ["new.csv"]


def test_rejects_of_dry_runs_go_after_a_week(
    warehouse: Warehouse, make_job: MakeJob, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    jobs = {days: make_job("check", status="succeeded") for days in (KEPT_DAYS - 1, KEPT_DAYS + 1)}
    with connect(warehouse.urls.owner) as connection:
        for days, job_id in jobs.items():
            connection.execute(
                "update app.jobs set finished_at = to_timestamp(%s) where job_id = %s",
                (NOW - days * DAY, job_id),
            )
            connection.execute("insert into app.import_rejects values (%s, 1, 2, '{x}', 'raw')", (job_id,))
    clean(warehouse)
    assert ask("select job_id from app.import_rejects") == [(UUID(jobs[KEPT_DAYS - 1]),)]


def test_records_go_when_they_are_old_and_jobs_after_all_that_names_them(
    warehouse: Warehouse, make_job: MakeJob, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    now = time.time()
    with connect(warehouse.urls.owner) as connection:
        for kind, days in (("export", 399), ("export", 401), ("check", 401)):
            job_id = make_job(kind, status="succeeded")
            connection.execute(
                "update app.jobs set finished_at = now() - make_interval(days => %s) where job_id = %s",
                (days, job_id),
            )
            connection.execute("insert into app.import_rejects values (%s, 1, 2, '{x}', 'raw')", (job_id,))
        for days in (6, 8):
            connection.execute(
                "insert into app.idempotency_keys (idempotency_key, request_hash, job_id, created_at)"
                " values (%s, 'x', %s, now() - make_interval(days => %s))",
                (str(days), make_job("refresh"), days),
            )
        for days in (89, 91):
            connection.execute(
                "with made as (insert into app.alerts (event_key, event, title, detail, raised_at)"
                " values (%s, 'late', '', '', now() - make_interval(days => %s)) returning alert_id)"
                " insert into app.alert_deliveries (alert_id, receiver) select alert_id, 'x' from made",
                (str(days), days),
            )
        for days in (399, 401):
            connection.execute(
                "insert into app.audit (principal_name, action, at, outcome)"
                " values ('anna', %s, now() - make_interval(days => %s), 'succeeded')",
                (str(days), days),
            )
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        clean_up(connection, warehouse.settings, now)
    assert ask("select kind from app.jobs where status = 'succeeded'") == [("export",)]
    assert ask("select idempotency_key from app.idempotency_keys") == [("6",)]
    assert ask(
        "select event_key, receiver from app.alerts inner join app.alert_deliveries using (alert_id)"
    ) == [("89", "x")]
    assert ask("select action from app.audit") == [("399",)]


def test_an_upload_is_kept_while_its_job_may_be_tried_again(warehouse: Warehouse, make_job: MakeJob) -> None:
    kept = {}
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        for status, problem in (
            ("running", None), ("failed", None), ("failed", "{}"), ("succeeded", None), ("canceled", None),
        ):  # fmt: skip
            job_id = make_job("import", status=status)
            connection.execute("update app.jobs set problem = %s where job_id = %s", (problem, job_id))
            folder = warehouse.settings.uploads_folder / job_id
            folder.mkdir(parents=True)
            remove_upload(connection, warehouse.settings, job_id)
            kept[status, problem] = folder.exists()
    assert kept == {
        ("running", None): True,
        ("failed", None): True,
        ("failed", "{}"): False,
        ("succeeded", None): False,
        ("canceled", None): False,
    }


def test_what_a_dry_run_has_checked_is_kept_to_be_loaded(warehouse: Warehouse, make_job: MakeJob) -> None:
    kept = {}
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        for status in ("succeeded", "canceled"):
            job_id = make_job("check", status=status)
            folder = warehouse.settings.uploads_folder / job_id
            folder.mkdir(parents=True)
            remove_upload(connection, warehouse.settings, job_id)
            kept[status] = folder.exists()
    assert kept == {"succeeded": True, "canceled": False}


def test_originals_go_when_they_are_old_and_of_a_days_full_deliveries_the_last_stays(
    warehouse: Warehouse,
) -> None:
    folder = warehouse.settings.originals_folder
    kept = {"plain": (10, False), "old": (91, False), "night": (10.2, True), "night again": (10, True)}
    with connect(warehouse.urls.owner) as connection:
        for number, (name, (days, is_compared)) in enumerate(kept.items(), start=1):
            sha256 = f"{number:064x}"
            (folder / "00").mkdir(parents=True, exist_ok=True)
            (folder / "00" / f"{sha256}.zst").write_text(name)
            old(folder / "00" / f"{sha256}.zst", days * DAY)
            connection.execute(
                "insert into raw.batches (batch_id, call_id, source, mode, status, file_name, requested_by,"
                " sha256, is_compared, finished_at) values"
                " (%s, %s, 'default', 'overwrite', 'landed', 'x.csv', 'cli', %s, %s, to_timestamp(%s))",
                (number, number, sha256, is_compared, NOW - days * DAY),
            )
    (folder / "00" / "crashed.part").write_text("x")
    old(folder / "00" / "crashed.part", 2 * DAY)
    assert clean(warehouse) == 3
    assert sorted(path.read_text() for path in (folder / "00").iterdir()) == ["night again", "plain"]
