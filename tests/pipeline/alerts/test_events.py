"""What is an alert, and what is none."""

from datetime import date, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from pipeline.alerts import look
from pipeline.settings import Settings
from tests.conftest import Warehouse
from tests.pipeline.alerts.conftest import Connection, Hook, add_batch, add_build, add_job, hooks


@pytest.fixture
def settings(warehouse: Warehouse) -> Settings:
    return warehouse.settings


@pytest.fixture
def watching(owner: Connection, settings: Settings, hook: Hook) -> None:
    """Alerts have been watched for since a day ago."""
    look(owner, settings, hooks(hook.url))
    owner.execute("update app.alert_watch set started_at = now() - interval '25 hours'")


def raised(owner: Connection, settings: Settings, hook: Hook) -> list[dict[str, Any]]:
    """What a look tells."""
    before = len(hook.bodies)
    look(owner, settings, hooks(hook.url))
    return hook.received[before:]


def add_anomalies(owner: Connection, *days: tuple[str, str, str, str | None, bool]) -> None:
    owner.execute(
        """
        create table if not exists marts.revenue_anomalies (
            sale_date date, weekday int, net_revenue numeric(38, 12), expected numeric(38, 12),
            spread numeric(38, 12), score numeric(20, 6), is_anomaly boolean
        )
        """
    )
    for day, found, expected, score, is_anomaly in days:
        owner.execute(
            "insert into marts.revenue_anomalies values (%s, 1, %s, %s, 1, %s, %s)",
            (day, found, expected, score, is_anomaly),
        )


def add_changes(owner: Connection, build_id: int, *days: str) -> None:
    for day in days:
        owner.execute(
            "insert into core.build_changes values (%s, %s, null, 1, 0, 0, 0, 0, 0, 0, 0, 0)", (build_id, day)
        )


def test_what_was_before_the_first_look_is_nobodys_news(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    add_job(owner, "failed", problem=Jsonb({"detail": "broken"}), ago="1 s")
    assert raised(owner, settings, hook) == []
    assert raised(owner, settings, hook) == []
    add_job(owner, "failed", problem=Jsonb({"detail": "broken again"}))
    assert [alert["detail"] for alert in raised(owner, settings, hook)] == ["broken again."]


@pytest.mark.usefixtures("watching")
def test_what_is_older_than_a_day_is_nobodys_news(owner: Connection, settings: Settings, hook: Hook) -> None:
    add_job(owner, "failed", problem=Jsonb({"detail": "broken"}), ago="24 hours 1 second")
    assert raised(owner, settings, hook) == []


@pytest.mark.usefixtures("watching")
def test_a_failed_refresh_is_told_with_its_build_and_without_what_follows_the_first_line(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    published = add_build(owner, data_as_of="2024-05-18")
    build_id = add_build(owner, status="failed", run_id="run")
    detail = "1 check(s) failed: unique_key\nDETAIL: Key (customer_id)=(ann) exists."
    job_id = add_job(owner, "failed", run_id="run", problem=Jsonb({"detail": detail}))
    (alert,) = raised(owner, settings, hook)
    del alert["at"]
    assert alert == {
        "id": f"failed:{job_id}",
        "event": "failed",
        "title": f"refresh failed (build {build_id})",
        "detail": "1 check(s) failed: unique_key.",
        "build_id": build_id,
        "refresh_id": job_id,
        "batch_id": None,
        "data_as_of": "2024-05-18",
        "links": {
            "builds": "/api/v1/builds",
            "batches": "/api/v1/batches",
            "build": f"/api/v1/builds/{build_id}",
            "refresh": f"/api/v1/refreshes/{job_id}",
        },
    }
    assert published < build_id
    assert raised(owner, settings, hook) == []


@pytest.mark.usefixtures("watching")
def test_imports_count_and_dry_runs_and_exports_do_not(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    for kind in ("import", "check", "export"):
        add_job(owner, "failed", kind=kind, problem=Jsonb({"detail": kind}))
    for status in ("succeeded", "canceled", "running", "queued"):
        add_job(owner, status)
    assert [alert["title"] for alert in raised(owner, settings, hook)] == ["import failed"]


@pytest.mark.usefixtures("watching")
def test_a_run_that_died_is_told_only_when_it_was_not_tried_again(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    job_id = add_job(owner, "failed", message="The process ended.")
    assert raised(owner, settings, hook) == []
    owner.execute("update app.jobs set finished_at = now() - interval '121 seconds'")
    assert [alert["id"] for alert in raised(owner, settings, hook)] == [f"failed:{job_id}"]


@pytest.mark.usefixtures("watching")
def test_a_full_build_without_new_data_must_find_no_difference(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    add_build(owner, is_full=True, rows_changed='{"a.b": {"written": 0, "deleted": 0}}')
    with_data = add_build(owner, is_full=True, rows_changed='{"a.b": {"written": 5, "deleted": 0}}')
    add_batch(owner, 1, "landed", "a.csv", "")
    owner.execute("insert into core.build_batches values (%s, 1)", (with_data,))
    add_build(owner, rows_changed='{"a.b": {"written": 5, "deleted": 0}}')
    # A batch was voided before this one.
    restated = add_build(owner, is_full=True, rows_changed='{"a.b": {"written": 5, "deleted": 0}}')
    owner.execute("update core.builds set last_event_id = 1 where build_id >= %s", (restated,))
    assert raised(owner, settings, hook) == []
    build_id = add_build(
        owner, is_full=True, rows_changed='{"a.b": {"written": 1200, "deleted": 1}, "a.c": {"written": 33}}'
    )
    owner.execute("update core.builds set last_event_id = 1 where build_id = %s", (build_id,))
    (alert,) = raised(owner, settings, hook)
    assert (alert["event"], alert["build_id"]) == ("failed", build_id)
    assert "changed 1,234 rows" in alert["detail"]


@pytest.mark.usefixtures("watching")
def test_a_refused_file_is_told_with_its_name_on_one_line(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    add_batch(owner, 1, "landed", "good.csv", "")
    message = "columns are missing: Price. Found in the first line: Ann, 1 Main Street."
    add_batch(owner, 2, "refused", "bad.csv\r\nBcc: evil@example.com", message)
    (alert,) = raised(owner, settings, hook)
    assert (alert["event"], alert["batch_id"]) == ("refused", 2)
    assert alert["title"] == "bad.csv was refused"
    assert (
        alert["detail"] == "Batch 2 of the source till: columns are missing: Price. Nothing of it was loaded."
    )


@pytest.mark.usefixtures("watching")
def test_an_import_whose_file_was_refused_is_told_once(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    refused = Jsonb({"code": "file_refused", "detail": "bad.csv: no price."})
    add_job(owner, "failed", kind="import", run_id="one", problem=refused)
    add_batch(owner, 1, "refused", "bad.csv", "no price")
    owner.execute("update raw.batches set dagster_run_id = 'one'")
    unreadable = add_job(owner, "failed", kind="import", run_id="two", problem=refused)
    assert [alert["id"] for alert in raised(owner, settings, hook)] == [f"failed:{unreadable}", "refused:1"]


def test_a_late_refresh_is_told_once_until_one_succeeds(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    hours = settings.model_copy(update={"freshness_hours": 2})
    assert raised(owner, hours, hook) == []
    owner.execute("update app.alert_watch set started_at = now() - interval '121 minutes'")
    (alert,) = raised(owner, hours, hook)
    assert alert["event"] == "late"
    assert alert["detail"].startswith("No refresh has succeeded within 2 hours. There was none yet.")
    assert raised(owner, hours, hook) == []
    job_id = add_job(owner, "succeeded", ago="119 minutes")
    add_job(owner, "failed", problem=Jsonb({"detail": "broken"}), ago="3 days")
    assert raised(owner, hours, hook) == []
    owner.execute("update app.jobs set finished_at = finished_at - interval '2 minutes'")
    (alert,) = raised(owner, hours, hook)
    assert alert["id"] == f"late:{job_id}"
    assert raised(owner, hours, hook) == []


@pytest.mark.usefixtures("watching")
def test_odd_days_that_a_build_touched_are_told_once_each(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    add_anomalies(
        owner,
        ("2024-05-15", "10.005", "100", "-8.24", True),
        ("2024-05-16", "500.5", "100", "12.25", True),
        ("2024-05-17", "100", "100", "0", False),
        ("2024-05-04", "1", "100", "-9", True),
        ("2024-05-14", "1", "100", "-9", True),
    )
    build_id = add_build(owner, data_as_of="2024-05-18")
    add_changes(owner, build_id, "2024-05-15", "2024-05-16", "2024-05-17", "2024-05-04")
    low, high = raised(owner, settings, hook)
    assert (low["event"], low["build_id"], low["data_as_of"]) == ("anomaly", build_id, "2024-05-18")
    assert low["title"] == "revenue of 2024-05-15 is unusually low"
    assert (
        low["detail"] == "Wednesday, 2024-05-15: net revenue is 10.01 USD; usual is 100.00 USD (score -8.2)."
    )
    assert high["title"] == "revenue of 2024-05-16 is unusually high"
    assert high["links"]["anomalies"] == "/api/v1/revenue/anomalies"
    again = add_build(owner, data_as_of=str(date(2024, 5, 18) + timedelta(days=1)))
    add_changes(owner, again, "2024-05-15")
    assert raised(owner, settings, hook) == []


@pytest.mark.usefixtures("watching")
def test_days_of_builds_that_were_not_published_are_not_told(
    owner: Connection, settings: Settings, hook: Hook
) -> None:
    add_anomalies(owner, ("2024-05-15", "10", "100", "-8.2", True))
    add_build(owner, data_as_of="2024-05-18")
    add_changes(owner, add_build(owner, status="failed"), "2024-05-15")
    assert raised(owner, settings, hook) == []
