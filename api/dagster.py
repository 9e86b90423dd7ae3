"""Dagster, through its GraphQL API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

LOCATION = "tillhouse"
REPOSITORY = "__repository__"
JOB_TAG = "tillhouse/job_id"
# Dagster's own mark on a failed run that it is about to try again.
_WILL_RETRY_TAG = "dagster/will_retry"
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
TIMEOUT = httpx.Timeout(10.0, connect=2.0)

_LAUNCH = """
mutation Launch($executionParams: ExecutionParams!) {
  launchRun(executionParams: $executionParams) {
    __typename
    ... on LaunchRunSuccess { run { runId status } }
    ... on Error { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_RUNS = """
query Runs($filter: RunsFilter!, $limit: Int) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { runId status tags { key value } } }
    ... on Error { message }
  }
}
"""
_LOGS = """
query Logs($runId: ID!, $afterCursor: String, $limit: Int) {
  logsForRun(runId: $runId, afterCursor: $afterCursor, limit: $limit) {
    __typename
    ... on EventConnection {
      cursor
      hasMore
      events { __typename ... on MessageEvent { timestamp level message stepKey } }
    }
    ... on Error { message }
  }
}
"""
_TERMINATE = """
mutation Terminate($runId: String!) {
  terminateRun(runId: $runId) { __typename ... on Error { message } }
}
"""
_LOCATION = """
query Location($name: String!) {
  workspaceLocationEntryOrError(name: $name) {
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename } }
  }
}
"""
_NO_LOCATION = "Dagster runs, but its code location does not answer."


class DagsterUnavailable(Exception):
    """Dagster, or the code location behind it, does not answer.

    ``is_certain``: the request surely had no effect; otherwise it may have had.
    """

    def __init__(self, detail: str, *, is_certain: bool) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_certain = is_certain


@dataclass(frozen=True)
class Run:
    """A run, Dagster's word for its state, and whether Dagster says that it will try it again."""

    run_id: str
    status: str
    will_retry: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it waits, works, or is about to be tried again."""
        return self.status not in _ENDED or (self.status == "FAILURE" and self.will_retry)


@dataclass(frozen=True)
class LogPage:
    """A stretch of a run's log."""

    lines: list[dict[str, Any]]
    cursor: str | None
    has_more: bool


class Dagster:
    """A client of one Dagster webserver. Every method raises ``DagsterUnavailable``."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT, transport=transport, trust_env=False)

    def launch(self, dagster_job: str, run_config: Mapping[str, Any], tags: Mapping[str, str]) -> Run:
        """Start a run of one of Dagster's jobs."""
        try:
            # Asked first: when this fails, nothing was launched.
            self.check()
        except DagsterUnavailable as error:
            raise DagsterUnavailable(error.detail, is_certain=True) from error
        found = self._ask(
            _LAUNCH,
            {
                "executionParams": {
                    "selector": {
                        "repositoryLocationName": LOCATION,
                        "repositoryName": REPOSITORY,
                        "jobName": dagster_job,
                    },
                    "runConfigData": run_config,
                    "executionMetadata": {
                        "tags": [{"key": key, "value": value} for key, value in tags.items()]
                    },
                }
            },
        )["launchRun"]
        if found["__typename"] != "LaunchRunSuccess":
            raise DagsterUnavailable(_refusal(found), is_certain=True)
        return Run(found["run"]["runId"], found["run"]["status"])

    def run_of(self, job_id: str) -> Run | None:
        """The newest run that was launched for a job row (a retry is a run of its own), or None."""
        return self._newest({"tags": [{"key": JOB_TAG, "value": job_id}]})

    def find_run(self, run_id: str) -> Run | None:
        """A run by its id, or None."""
        return self._newest({"runIds": [run_id]})

    def logs(self, run_id: str, after: str | None, limit: int) -> LogPage:
        """The log of a run after a cursor, at most ``limit`` lines; empty for a run that is gone."""
        variables = {"runId": run_id, "afterCursor": after, "limit": limit}
        found = self._ask(_LOGS, variables)["logsForRun"]
        if found["__typename"] != "EventConnection":
            return LogPage([], after, False)
        lines = [_log_line(event) for event in found["events"] if event.get("message")]
        return LogPage(lines, found["cursor"], found["hasMore"])

    def terminate(self, run_id: str) -> None:
        """Ask a run to stop; one that has ended already is left as it is."""
        self._ask(_TERMINATE, {"runId": run_id})

    def check(self) -> None:
        """Whether runs can be launched: Dagster answers, and has read its code location."""
        found = self._ask(_LOCATION, {"name": LOCATION})["workspaceLocationEntryOrError"]
        if not found or found["locationOrLoadError"] != {"__typename": "RepositoryLocation"}:
            raise DagsterUnavailable(_NO_LOCATION, is_certain=True)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _newest(self, runs_filter: Mapping[str, Any]) -> Run | None:
        found = self._ask(_RUNS, {"filter": runs_filter, "limit": 1})["runsOrError"]
        if found["__typename"] != "Runs":
            raise DagsterUnavailable(_refusal(found), is_certain=True)
        if not found["results"]:
            return None
        run = found["results"][0]
        will_retry = {"key": _WILL_RETRY_TAG, "value": "true"} in run["tags"]
        return Run(run["runId"], run["status"], will_retry)

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        try:
            response = self._http.post("/graphql", json={"query": query, "variables": variables})
            response.raise_for_status()
            answer = response.json()
            data: dict[str, Any] | None = answer.get("data")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise DagsterUnavailable("Dagster does not answer.", is_certain=True) from error
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            raise DagsterUnavailable("Dagster did not answer as it should.", is_certain=False) from error
        if not data or answer.get("errors"):
            raise DagsterUnavailable("Dagster could not answer the question.", is_certain=False)
        return data


def _refusal(found: Mapping[str, Any]) -> str:
    if found["__typename"] == "PipelineNotFoundError":
        return _NO_LOCATION
    reasons = [error["message"] for error in found.get("errors", [])] or [found.get("message", "")]
    return f"Dagster refused ({found['__typename']}): {'; '.join(reasons)[:500]}"


def _log_line(event: Mapping[str, Any]) -> dict[str, Any]:
    seconds = float(event["timestamp"]) / 1000
    return {
        "timestamp": datetime.fromtimestamp(seconds, UTC),
        "level": event["level"],
        "step": event.get("stepKey"),
        "message": event["message"],
    }
