"""The job ``check_import``: the dry run of an upload, with the very code that lands it."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from psycopg import Connection
from pydantic import Field

from pipeline.assets.background import BackgroundJob, background_job, tags
from pipeline.assets.progress import ProgressReport, outcomes, totals
from pipeline.jobs.rows import add_result, finish
from pipeline.jobs.running import add_counts
from pipeline.landing import LandingRequest, QuarantinedRow, Reporting, check
from pipeline.sources import source_settings
from pipeline.warehouse.connect import connect

CHECKED = "Checked; nothing was loaded."


class CheckRequest(dg.Config):
    """The files of a dry run, and how they are to be read."""

    files: list[str] = Field(description="Files to check.")
    file_names: list[str] = Field(description="What they are called on record.")
    source: str = Field(default="default", description="The source they would be loaded into.")
    feed: str | None = Field(default=None, description="The files' feed; default as the source says.")
    mode: str | None = Field(default=None, description="append or overwrite; default as the source says.")
    duplicate_rows: str | None = Field(
        default=None, description="quarantine or keep; default as the source says."
    )


@dg.op
def check_files(context: dg.OpExecutionContext, config: CheckRequest) -> None:
    """Read and check files; keep the counts and every rejected row."""
    with background_job(context) as job:
        _check(job, config)


@dg.job(
    name="check_import",
    executor_def=dg.in_process_executor,
    tags=tags("check_import"),
    run_tags=tags("check_import"),
    description="Check uploaded files as landing would, and load nothing.",
)
def check_import() -> None:
    """The dry run of an import."""
    check_files()


def _check(job: BackgroundJob, config: CheckRequest) -> None:
    request = LandingRequest(
        paths=tuple(map(Path, config.files)),
        names=tuple(config.file_names),
        source=config.source,
        settings=source_settings(
            job.settings,
            config.source,
            feed=config.feed,
            mode=config.mode,
            duplicate_rows=config.duplicate_rows,
        ),
        reporting=Reporting(job.settings.currency, job.settings.time_zone),
    )
    # The rejected rows and the end of the job become visible together.
    with connect(job.owner_url) as transaction:
        transaction.execute("delete from app.import_rejects where job_id = %s", (job.job_id,))

        def keep(number: int, rows: Sequence[QuarantinedRow]) -> None:
            _copy_rejects(transaction, job.job_id, number, rows)

        results = check(request, ProgressReport(job.connection, job.job_id), keep)
        add_counts(transaction, job.job_id, totals(results))
        add_result(transaction, job.job_id, {"files": outcomes(results)})
        finish(transaction, job.job_id, job.run_id, "succeeded", CHECKED)


def _copy_rejects(
    transaction: Connection, job_id: str, number: int, rows: Sequence[QuarantinedRow]
) -> None:  # fmt: skip
    statement = "copy app.import_rejects (job_id, file_number, row_number, reasons, raw_text) from stdin"
    with transaction.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row((job_id, number, row.row_number, list(row.reasons), row.raw_text))
