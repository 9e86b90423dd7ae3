"""Jobs that wait for a run that will not come."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import dagster as dg
import pytest

from pipeline.assets.exports import export
from pipeline.assets.recovery import NEVER_BEGUN, WILL_RETRY_TAG, close_jobs_without_run
from pipeline.assets.session import JOB_ID_TAG
from pipeline.jobs.running import begin
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.assets.conftest import MakeJob

Ask = Callable[..., list[tuple[Any, ...]]]
KINDS = ("refresh", "import", "check", "export")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster of the test's own."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def close(warehouse: Warehouse, instance: dg.DagsterInstance) -> int:
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        return close_jobs_without_run(instance, connection)


def asked(warehouse: Warehouse, job_id: str, ago: str) -> None:
    with connect(warehouse.urls.owner) as connection:
        connection.execute(
            "update app.jobs set requested_at = now() - %s::interval where job_id = %s", (ago, job_id)
        )


def test_a_job_of_any_kind_that_got_no_run_fails_after_a_minute(
    warehouse: Warehouse, make_job: MakeJob, ask: Ask, instance: dg.DagsterInstance
) -> None:
    jobs = [make_job(kind) for kind in KINDS]
    for job_id in jobs:
        asked(warehouse, job_id, "61 seconds")
    young = make_job("export")
    asked(warehouse, young, "50 seconds")
    folder = warehouse.settings.uploads_folder / jobs[1]
    folder.mkdir(parents=True)
    assert close(warehouse, instance) == 4
    found = ask("select kind, message, problem ->> 'detail' from app.jobs where status = 'failed'")
    assert sorted(found) == sorted((kind, NEVER_BEGUN, NEVER_BEGUN) for kind in KINDS)
    assert ask("select job_id from app.jobs where status = 'queued'") == [(UUID(young),)]
    # A launch whose answer was lost may still arrive: it finds its files.
    assert folder.exists()
    with connect(warehouse.urls.owner) as connection:
        begin(connection, jobs[1], str(uuid4()))
    assert close(warehouse, instance) == 0


@pytest.mark.parametrize(
    ("status", "will_retry", "is_closed"),
    [
        (dg.DagsterRunStatus.NOT_STARTED, False, False),
        (dg.DagsterRunStatus.STARTED, False, False),
        (dg.DagsterRunStatus.FAILURE, True, False),
        (dg.DagsterRunStatus.FAILURE, False, True),
        (dg.DagsterRunStatus.CANCELED, False, True),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_job_whose_run_may_still_begin_waits(
    warehouse: Warehouse,
    make_job: MakeJob,
    ask: Ask,
    instance: dg.DagsterInstance,
    status: dg.DagsterRunStatus,
    *,
    will_retry: bool,
    is_closed: bool,
    is_named: bool,
) -> None:
    job_id = make_job("export")
    asked(warehouse, job_id, "1 day")
    tags = {JOB_ID_TAG: job_id} | ({WILL_RETRY_TAG: "true"} if will_retry else {})
    run = instance.create_run_for_job(export, status=status, tags=tags)
    if is_named:
        with connect(warehouse.urls.owner) as connection:
            connection.execute("update app.jobs set dagster_run_id = %s", (run.run_id,))
    assert close(warehouse, instance) == int(is_closed)
    assert ask("select status from app.jobs") == [("failed" if is_closed else "queued",)]
