"""The job ``export``: an answer of the API as a file, written by the API's own code."""

import csv
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.assets.background import BackgroundJob, background_job, tags
from pipeline.errors import TillhouseError
from pipeline.jobs.rows import add_result, finish
from pipeline.jobs.running import add_counts
from pipeline.settings import Settings
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.place import private_folder

# A file may take longer than an answer that somebody waits for.
STATEMENT_SECONDS = 3600
# No address of customers or products is in the run's own record: what is asked is in the job's row.
_ASKED = "select request from app.jobs where job_id = %s"


class ExportRefused(TillhouseError):
    """The route answers the question with a problem."""


@dg.op
def write_export(context: dg.OpExecutionContext) -> None:
    """Write the file that a job asks for."""
    with background_job(context) as job:
        row = job.connection.execute(_ASKED, (job.job_id,)).fetchone()
        assert row is not None
        _export(job, row[0])


@dg.job(
    name="export",
    executor_def=dg.in_process_executor,
    tags=tags("export"),
    run_tags=tags("export"),
    description="Write a whole answer of the API into a file.",
)
def export() -> None:
    """Write a file."""
    write_export()


def _export(job: BackgroundJob, request: dict[str, Any]) -> None:
    folder = job.settings.exports_folder
    private_folder(folder)
    draft = folder / f".{job.job_id}.part"
    try:
        result = _write(job.settings, request, draft)
        draft.replace(folder / f"{job.job_id}.{request['format']}")
    finally:
        draft.unlink(missing_ok=True)
    with job.connection.transaction():
        add_counts(job.connection, job.job_id, {"rows": result["rows"]})
        add_result(job.connection, job.job_id, result)
        finish(job.connection, job.job_id, job.run_id, "succeeded", f"{result['rows']} rows written.")


def _write(settings: Settings, request: dict[str, Any], to: Path) -> dict[str, Any]:
    # The API's modules are not for every run of Dagster to load.
    from api.access import Principal
    from api.app import close, create_app
    from api.files import write_file
    from api.problems import Problem

    kept = request["caller"]
    regions = None if kept["regions"] is None else tuple(kept["regions"])
    caller = Principal(None, kept["name"], frozenset(kept["scopes"]), regions)
    patient = settings.model_copy(update={"statement_timeout_seconds": STATEMENT_SECONDS, "redis_url": None})
    app = create_app(patient, database_urls(settings))
    try:
        written = write_file(app, request["address"], caller, to)
    except Problem as error:
        raise ExportRefused(f"{error.type.code}: {error.detail}") from error
    finally:
        close(app)
    return {
        "rows": count_rows(to, request["format"]),
        "size_bytes": written.size_bytes,
        "sha256": written.sha256,
        "build_id": written.build_id,
    }


def count_rows(path: Path, format: str) -> int:
    """The rows of a finished file, read from the file itself."""
    import pyarrow as pa
    from pyarrow import parquet

    if format == "parquet":
        return int(parquet.read_metadata(path).num_rows)
    if format == "arrow":
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as batches:
            return sum(batch.num_rows for batch in batches)
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1
