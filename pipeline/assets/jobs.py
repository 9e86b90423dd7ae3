"""The job ``refresh``, its schedules and the inbox's sensor."""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.landing.inbox import InboxFile, settled_files
from pipeline.settings import get_settings

SETTINGS = get_settings()

# How soon a refresh is asked for again for files that the last one left in the inbox.
ASK_AGAIN_SECONDS = 300

# One refresh at a time (see the instance's tag_concurrency_limits). A run whose process died
# is tried once more, from its first step on: what its steps passed on went with the process. One
# that failed by a check would fail again.
TAGS = {
    "tillhouse/job": "refresh",
    "dagster/max_retries": "1",
    "dagster/retry_strategy": "ALL_STEPS",
}

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    tags=TAGS,
    run_tags=TAGS,
    description="Land what waits in the inbox, build the change, audit it, and publish it.",
)


def request_config(**request: Any) -> dict[str, Any]:
    """Run configuration of a refresh; keywords are the fields of ``RefreshRequest``."""
    return {"resources": {"refresh_request": {"config": request}}}


@dg.schedule(
    job=refresh,
    cron_schedule=SETTINGS.refresh_cron,
    execution_timezone=SETTINGS.time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Refresh every day, inbox or not."""
    return dg.RunRequest(run_config=request_config(requested_by="schedule"))


@dg.schedule(
    job=refresh,
    cron_schedule=SETTINGS.full_build_cron,
    execution_timezone=SETTINGS.time_zone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def weekly_full_build(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Build everything anew every week: it must find no difference."""
    return dg.RunRequest(run_config=request_config(requested_by="schedule", full=True))


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=2,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Refresh when a file has settled in the inbox."""
    files = settled_files(SETTINGS.inbox_folder, SETTINGS.inbox_settle_seconds)
    if not files:
        return dg.SkipReason("The inbox is empty.")
    in_flight = context.instance.get_runs_count(
        dg.RunsFilter(
            tags={"tillhouse/job": "refresh"},
            statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED],
        )
    )
    if in_flight:
        return dg.SkipReason("A refresh is under way; the files wait for the next look.")
    asked = Asked.read(context.cursor)
    now = time.time()
    if asked.files == _fingerprint(files) and now - asked.at < ASK_AGAIN_SECONDS:
        return dg.SkipReason("The same files could not be taken a moment ago; see the last refresh.")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_config=request_config(requested_by="inbox"))],
        cursor=Asked(_fingerprint(files), now).write(),
    )


@dataclass(frozen=True)
class Asked:
    """What the sensor last asked a refresh for, and when (Unix time)."""

    files: str
    at: float

    @classmethod
    def read(cls, cursor: str | None) -> "Asked":
        """From the sensor's cursor."""
        return cls(**json.loads(cursor)) if cursor else cls("", 0.0)

    def write(self) -> str:
        """As the sensor's cursor."""
        return json.dumps({"files": self.files, "at": self.at})


def _fingerprint(files: list[InboxFile]) -> str:
    """Differs when a file is new, written to, or gone."""
    looks = [f"{file.path} {_changed(file.path)}" for file in files]
    return hashlib.sha256("\n".join(looks).encode()).hexdigest()


def _changed(path: Path) -> int:
    # The inode's time: it moves when permissions are mended, too.
    try:
        return path.stat().st_ctime_ns
    except OSError:
        return 0
