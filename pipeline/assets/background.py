"""Jobs that run beside the refreshes: they change nothing that a refresh reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterExecutionInterruptedError
from psycopg import Connection

from pipeline.assets.session import JOB_ID_TAG
from pipeline.assets.uploads import remove_upload
from pipeline.errors import TillhouseError
from pipeline.jobs.rows import finish
from pipeline.jobs.running import begin
from pipeline.settings import Settings, get_settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.locks import named_alive


def tags(job: str) -> dict[str, str]:
    """Tags of such a job: a run whose process died is tried once more."""
    return {"tillhouse/job": job, "dagster/max_retries": "1"}


@dataclass(frozen=True)
class BackgroundJob:
    """A running job; its connection is the owner's and commits by itself."""

    job_id: str
    run_id: str
    settings: Settings
    connection: Connection
    owner_url: str


@contextmanager
def background_job(context: dg.OpExecutionContext) -> Iterator[BackgroundJob]:
    """Mark the run's job as running, and close it when the block fails; the block itself ends it well."""
    settings = get_settings()
    owner_url = database_urls(settings).owner
    job_id = context.run.tags[JOB_ID_TAG]
    with named_alive(owner_url, context.run_id), connect(owner_url, autocommit=True) as connection:
        begin(connection, job_id, context.run_id)
        try:
            yield BackgroundJob(job_id, context.run_id, settings, connection, owner_url)
        except (DagsterExecutionInterruptedError, KeyboardInterrupt):
            finish(connection, job_id, context.run_id, "canceled", "Canceled; nothing was changed.")
            raise
        except TillhouseError as error:
            finish(connection, job_id, context.run_id, "failed", str(error), {"detail": str(error)})
            raise dg.Failure(description=str(error), allow_retries=False) from error
        except Exception:
            # What went wrong may name what is no caller's business: Dagster's log has it.
            message = f"A fault of the service; the log of Dagster's run {context.run_id} has the details."
            finish(connection, job_id, context.run_id, "failed", message, {"detail": message})
            raise
        finally:
            remove_upload(connection, settings, job_id)
