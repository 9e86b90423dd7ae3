"""A stand-in for Dagster's GraphQL API that remembers what it was asked."""

import json
from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any

import httpx

from api.dagster import JOB_TAG


class FakeDagster:
    """Launches runs into a dictionary; ``fail_with`` makes it answer launches in another way."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self.events: list[dict[str, Any]] = []
        self.is_down = False
        self.has_location = True
        self.launch_answer: dict[str, Any] | None = None
        self.loses_launch_answers = False
        self._lock = Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused", request=request)
        asked = json.loads(request.content)
        name = asked["query"].split("(")[0].split()[1]
        with self._lock:
            self.asked[name] += 1
            return httpx.Response(200, json={"data": getattr(self, f"_{name.lower()}")(asked["variables"])})

    def set_status(self, status: str) -> None:
        """Give every run this status."""
        for run in self.runs.values():
            run["status"] = status

    def add_run(self, run_id: str, status: str, tags: Mapping[str, str]) -> None:
        """A run that was not launched through the API."""
        self.runs[run_id] = {"runId": run_id, "status": status, "tags": dict(tags)}

    def _location(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        assert variables == {"name": "tillhouse"}
        kind = "RepositoryLocation" if self.has_location else "PythonError"
        return {"workspaceLocationEntryOrError": {"locationOrLoadError": {"__typename": kind}}}

    def _launch(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        if self.launch_answer is not None:
            return {"launchRun": self.launch_answer}
        parameters = variables["executionParams"]
        run_id = f"run-{self.asked['Launch']}"
        tags = {tag["key"]: tag["value"] for tag in parameters["executionMetadata"]["tags"]}
        self.runs[run_id] = {
            "runId": run_id,
            "status": "QUEUED",
            "tags": tags,
            "config": parameters["runConfigData"],
            "selector": parameters["selector"],
        }
        if self.loses_launch_answers:
            raise httpx.ReadTimeout("lost")
        run = {"runId": run_id, "status": "QUEUED"}
        return {"launchRun": {"__typename": "LaunchRunSuccess", "run": run}}

    def _runs(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        asked = variables["filter"]
        assert asked.keys() in ({"runIds"}, {"tags"})
        wanted = {tag["key"]: tag["value"] for tag in asked.get("tags", [])}
        assert wanted.keys() <= {JOB_TAG}
        found = [
            {
                "runId": run["runId"],
                "status": run["status"],
                "tags": [{"key": key, "value": value} for key, value in run["tags"].items()],
            }
            for run in reversed(self.runs.values())
            if run["runId"] in asked.get("runIds", self.runs) and wanted.items() <= run["tags"].items()
        ]
        return {"runsOrError": {"__typename": "Runs", "results": found[: variables["limit"]]}}

    def _logs(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        if variables["runId"] not in self.runs:
            return {"logsForRun": {"__typename": "RunNotFoundError", "message": "gone"}}
        after = int(variables["afterCursor"] or 0)
        end = after + variables["limit"]
        return {
            "logsForRun": {
                "__typename": "EventConnection",
                "cursor": str(min(end, len(self.events))),
                "hasMore": end < len(self.events),
                "events": self.events[after:end],
            }
        }

    def _terminate(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.runs[variables["runId"]]["status"] = "CANCELED"
        return {"terminateRun": {"__typename": "TerminateRunSuccess"}}
