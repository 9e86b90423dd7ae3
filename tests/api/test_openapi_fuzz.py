"""Requests made from the OpenAPI document itself: no answer that it does not know, and no fault but 503."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import form, job_of

SEED = 20240518
CHECKS = {
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 503]},
    # What is too long for the schema may be too long to be read.
    "negative_data_rejection": {"expected-statuses": ["4xx", 503]},
    # The document cannot say which cursors and dates go together.
    "positive_data_acceptance": {"enabled": False},
    # It does not know how to call a WSGI application; tests/api/security does that.
    "ignored_auth": {"enabled": False},
}


class PatientDagster(FakeDagster):
    """Answers a log's cursor that is none as Dagster does: with an error."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        after = json.loads(request.content)["variables"].get("afterCursor")
        if after and not after.isdigit():
            return httpx.Response(200, json={"errors": [{"message": "invalid cursor"}], "data": None})
        return super().__call__(request)


def found_wrong(app: Any, config: Mapping[str, Any]) -> tuple[list[str], Counter[str], Counter[int]]:
    """What schemathesis finds: failures in words, requests by operation, answers by status."""
    spec = app.spec
    # Made once a run: the document does not change.
    schema = schemathesis.openapi.from_dict(spec, config=SchemathesisConfig.from_dict(dict(config)))
    schema.app = app
    wrong: list[str] = []
    asked: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(str(vars(event) if hasattr(event, "__dict__") else event))
        if not isinstance(event, events.ScenarioFinished):
            continue
        asked[str(event.label)] += len(event.recorder.interactions)
        for interaction in event.recorder.interactions.values():
            if interaction.response is not None:
                statuses[interaction.response.status_code] += 1
        wrong += [
            f"{event.label}: {check.name}: {check.failure_info.failure.title}\n"
            f"{check.failure_info.failure.message}\n{check.failure_info.code_sample}"
            for checks in event.recorder.checks.values()
            for check in checks
            if check.failure_info is not None
        ]
    return wrong, asked, statuses


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize("has_accounts", [True, False], ids=["accounts", "single user"])
def test_every_answer_to_a_made_up_request_is_documented(
    make_client: Callable[..., StrictClient], accounts: Accounts, has_accounts: bool
) -> None:
    client = make_client(PatientDagster(), accounts=has_accounts, rate_limit="1000000/minute")
    app, headers = client.application, accounts.add("root", "admin")
    jobs = {
        "refresh_id": job_of(client.post("/refresh", headers=headers))["id"],
        "import_id": job_of(client.post("/api/v1/imports", headers=headers, **form(("a.csv", b"x"))))["id"],
        "export_id": job_of(client.post("/api/v1/exports", headers=headers, json={"path": "/api/v1/orders"}))[
            "id"
        ],
        "build_id": 1,
        "batch_id": 1,
        "code": "not_found",
    }
    config: dict[str, Any] = {
        "seed": SEED,
        "headers": headers if has_accounts else {},
        "continue-on-failure": True,
        "generation": {"deterministic": True, "database": "none", "no-shrink": True, "max-examples": 12},
        "checks": CHECKS,
        "phases": {
            "examples": {"enabled": False},
            "stateful": {"enabled": False},
            # The borders of every parameter once; where there are no accounts, random requests are enough.
            "coverage": {"enabled": has_accounts, "unexpected-methods": ["put", "patch"]},
        },
    }
    if has_accounts:
        config["parameters"] = jobs
        # These take what /api/v1/revenue takes.
        alike = {
            "include-path-regex": "^/api/v1/revenue/(by-|trend)",
            "phases": {"coverage": {"enabled": False}},
        }
        config["operations"] = [alike]
    wrong, asked, statuses = found_wrong(app, config)
    assert not wrong, "\n\n".join(wrong[:10])
    document: Any = app.spec  # type: ignore[attr-defined]
    operations = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    assert set(asked) == operations
    # It got past the doors: questions were answered and jobs were started.
    assert statuses[200] > 50
    assert statuses[202] > 5
    assert not {500, 502, 504} & set(statuses)


def test_a_made_up_caller_gets_nowhere(make_client: Callable[..., StrictClient], accounts: Accounts) -> None:
    app = make_client(FakeDagster(), accounts=True, rate_limit="1000000/minute").application
    config = {
        "seed": SEED,
        "headers": {"Authorization": f"Bearer {uuid4()}"},
        "continue-on-failure": True,
        "generation": {"deterministic": True, "database": "none", "no-shrink": True, "max-examples": 3},
        "checks": CHECKS | {"negative_data_rejection": {"enabled": False}},
        "phases": {name: {"enabled": False} for name in ("examples", "stateful", "coverage")},
    }
    wrong, _, statuses = found_wrong(app, config)
    assert not wrong, "\n\n".join(wrong[:10])
    assert statuses[202] == 0
    assert statuses[401] > 60
