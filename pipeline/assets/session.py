"""One refresh: its configuration, the lock it holds, and its row in ``app.jobs``."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import DagsterExecutionInterruptedError
from psycopg import Connection
from pydantic import Field

from pipeline.assets.uploads import remove_upload
from pipeline.builds.dbt_runner import load_manifest
from pipeline.builds.declarations import Published, read_declarations
from pipeline.builds.plan import Build
from pipeline.builds.publish import Publication
from pipeline.errors import TillhouseError
from pipeline.jobs.rows import finish
from pipeline.jobs.running import begin_refresh
from pipeline.landing import Progress, close_orphans
from pipeline.settings import Settings, get_settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.locks import refresh_lock

# The job row that a run was launched for; a retried run has the same.
JOB_ID_TAG = "tillhouse/job_id"

# Where landing reports its progress, when somebody looks on (the command line does).
progress_listener: ContextVar[Callable[[Progress], None]] = ContextVar(
    "progress_listener", default=lambda progress: None
)


class RefreshRequest(dg.Config):
    """What a refresh is asked to do; without files it takes what the inbox holds."""

    files: list[str] = Field(default=[], description="Files to land; empty: what the inbox holds.")
    file_names: list[str] = Field(default=[], description="What uploaded `files` are called on record.")
    source: str = Field(default="default", description="The source of `files`.")
    feed: str | None = Field(default=None, description="The feed of `files`; default as the source says.")
    mode: str | None = Field(default=None, description="append or overwrite; default as the source says.")
    duplicate_rows: str | None = Field(
        default=None, description="quarantine or keep; default as the source says."
    )
    force: bool = Field(default=False, description="Let an overwrite delete more than a fifth.")
    void: list[int] = Field(default=[], description="Land nothing: take these batches back.")
    restore: list[int] = Field(default=[], description="Land nothing: put these voided batches back.")
    replay: int | None = Field(
        default=None, description="Land nothing: try this batch's rejected rows again (`files`: corrected)."
    )
    reopen: bool = Field(default=False, description="Let it change closed months, and open them again.")
    expect_rows: int | None = Field(default=None, description="Rows that each file is believed to have.")
    expect_gross: str | None = Field(default=None, description="Its believed gross revenue.")
    expect_net: str | None = Field(default=None, description="Its believed net revenue.")
    full: bool = Field(default=False, description="Build everything anew instead of the change.")
    sources: list[str] = Field(default=[], description="Take only these sources from the inbox.")
    requested_by: str = Field(default="dagster", description="Who asked.")


@dataclass
class RefreshSession:
    """What the steps of one refresh share: they run one after the other in one process."""

    request: RefreshRequest
    settings: Settings
    owner_url: str
    connection: Connection
    refresh_id: str
    run_id: str
    build: Build | None = None
    publication: Publication | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a step, and record why it ended the refresh when it did."""
        started = time.monotonic()
        try:
            yield
        except TillhouseError as error:
            self._fail(name, str(error))
            raise dg.Failure(description=str(error), allow_retries=False) from error
        except dg.Failure as error:
            self._fail(name, error.description or "failed")
            raise
        except (DagsterExecutionInterruptedError, KeyboardInterrupt):
            self.close_interrupted(is_canceled=True)
            raise
        except Exception as error:
            self._fail(name, f"{type(error).__name__}: {error}")
            raise
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)

    def declarations(self) -> tuple[Published, ...]:
        """How the published models publish."""
        return read_declarations(load_manifest(self.settings))

    def close_interrupted(self, *, is_canceled: bool) -> None:
        """Close a refresh that ended early; one that is closed already stays as it is."""
        verb = "Canceled" if is_canceled else "Interrupted"
        status = "canceled" if is_canceled else "failed"
        rest = "nothing that readers see was changed. What has landed is built by the next refresh."
        self._close(status, f"{verb}; {rest}", None)

    def _fail(self, stage: str, message: str) -> None:
        self._close("failed", message, {"stage": stage, "detail": message})

    def _close(self, status: str, message: str, problem: dict[str, Any] | None) -> None:
        # The step's own connection may be what broke.
        with connect(self.owner_url, autocommit=True) as connection:
            finish(connection, self.refresh_id, self.run_id, status, message, problem)
            if self.build is not None:
                connection.execute(
                    """
                    update core.builds
                    set status = 'failed', finished_at = now(), message = %s
                    where build_id = %s and status = 'running'
                    """,
                    (message, self.build.build_id),
                )


def keep_connections(instance: dg.DagsterInstance) -> None:
    """Have Dagster's storage keep its connections: for some hundred events, new ones take seconds."""
    instance.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=10)


@dg.resource(config_schema=RefreshRequest.to_config_schema())
def refresh_request(context: dg.InitResourceContext) -> Iterator[RefreshSession]:
    """Hold the refresh lock and the refresh's row for the time of the run."""
    run, log = context.run, context.log
    assert run is not None
    assert log is not None
    assert context.instance is not None
    keep_connections(context.instance)
    request = RefreshRequest(**context.resource_config)
    settings = get_settings()
    owner_url = database_urls(settings).owner
    with (
        refresh_lock(
            owner_url,
            holder=run.run_id,
            on_wait=lambda: log.info("Another refresh is running: waiting for it."),
        ),
        connect(owner_url, autocommit=True) as connection,
    ):
        refresh_id = begin_refresh(
            connection,
            job_id=run.tags.get(JOB_ID_TAG),
            run_id=run.run_id,
            requested_by=request.requested_by,
            request={"full": request.full, "mode": request.mode, "sources": request.sources or None},
            takes_inbox=not (request.files or request.void or request.restore or request.replay),
        )
        orphans = close_orphans(connection)
        if orphans:
            log.warning(f"{orphans} batch(es) of a process that ended were marked failed.")
        session = RefreshSession(request, settings, owner_url, connection, refresh_id, run.run_id)
        yield session
        # Closes only what no step has closed: a run that was interrupted between two of them.
        session.close_interrupted(is_canceled=_is_canceling(context))
        remove_upload(connection, settings, refresh_id)


def _is_canceling(context: dg.InitResourceContext) -> bool:
    run = context.instance.get_run_by_id(context.run.run_id) if context.instance and context.run else None
    return run is not None and run.status is dg.DagsterRunStatus.CANCELING
