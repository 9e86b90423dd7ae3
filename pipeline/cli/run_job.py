"""Run the Dagster job `refresh` in this process, and say what became of it."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from psycopg.rows import dict_row

from pipeline.cli.group import EXIT_INTERRUPTED
from pipeline.landing import Progress
from pipeline.settings import Settings
from pipeline.supervisor.instance import prepare_instance
from pipeline.warehouse.connect import DatabaseUrls, connect


@dataclass(frozen=True)
class Outcome:
    """What one run did, as the database has it on record.

    ``files`` has what became of each file that was named, or of each batch that was voided or replayed.
    ``is_published`` says whether every landed batch of the run is in the numbers.
    """

    run_id: str
    status: str
    message: str
    batches: list[dict[str, Any]]
    files: list[dict[str, Any]]
    build: dict[str, Any] | None

    @property
    def is_interrupted(self) -> bool:
        """Whether the user (or a stop of the process) ended it early."""
        return self.status == "canceled" or self.message.startswith("Interrupted")

    @property
    def exit_code(self) -> int:
        """0 when everything is in the published numbers, 130 when interrupted, else 1."""
        if self.is_interrupted:
            return EXIT_INTERRUPTED
        return 0 if self.is_published else 1

    @property
    def is_published(self) -> bool:
        """Whether the refresh succeeded and no file was refused."""
        return self.status == "succeeded" and not any(
            batch["status"] in ("refused", "failed") for batch in self.batches
        )


def run_refresh(
    settings: Settings,
    urls: DatabaseUrls,
    request: Mapping[str, Any],
    listener: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Run the job with this request (the fields of ``RefreshRequest``), waiting for the lock.

    The run is on record in Dagster as any other; needs Postgres, and no other service.
    """
    os.environ.update(prepare_instance(settings, urls))
    import dagster as dg

    from pipeline.assets.jobs import request_config
    from pipeline.assets.session import keep_connections, progress_listener
    from pipeline.definitions import defs

    # What Dagster warns of would stand between the user's lines. (It sets the level of the logger above
    # this one anew with every run.)
    logging.getLogger("dagster._core").setLevel(logging.ERROR)
    run_id = str(uuid4())
    # A run of the command line waits for the lock and not in the queue, where one that died would
    # hold up the others; and it is its user's to repeat.
    tags = {"tillhouse/job": "refresh in a terminal", "dagster/max_retries": "0"}
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    token = progress_listener.set(listener or (lambda progress: None))
    try:
        with dg.DagsterInstance.get() as instance:
            keep_connections(instance)
            defs.resolve_job_def("refresh").execute_in_process(
                run_config=request_config(**request) | quiet,
                instance=instance,
                tags=tags,
                run_id=run_id,
                raise_on_error=False,
            )
    finally:
        progress_listener.reset(token)
    return read_outcome(urls.owner, run_id)


def read_outcome(owner_url: str, run_id: str) -> Outcome:
    """What is on record of a run."""
    with connect(owner_url) as connection, connection.cursor(row_factory=dict_row) as cursor:
        refresh = cursor.execute(
            "select status, message, build_id, result from app.jobs where dagster_run_id = %s", (run_id,)
        ).fetchone()
        batches = cursor.execute(
            """
            select
                batch_id, file_name, source, mode, status, message,
                rows_read, rows_accepted, rows_quarantined, reasons, first_sale_date, last_sale_date
            from raw.batches where dagster_run_id = %s
            order by batch_id
            """,
            (run_id,),
        ).fetchall()
        build = cursor.execute(
            """
            select
                build_id, status, is_full, data_as_of, lines_added, lines_removed,
                net_revenue_before, net_revenue_after, seconds, failed_checks
            from core.builds where dagster_run_id = %s
            """,
            (run_id,),
        ).fetchone()
    if refresh is None:
        return Outcome(run_id, "failed", "The run ended before it began its work.", batches, [], build)
    files = refresh["result"].get("files", [])
    return Outcome(run_id, refresh["status"], refresh["message"] or "", batches, files, build)
