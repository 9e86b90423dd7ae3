"""Findings by the API: made when asked for, and those that are kept of builds."""

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from pipeline.findings.keeping import keep_report
from pipeline.settings import Settings
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.published import Line, golden_lines

FINDINGS = "/api/v1/findings"
KEPT = f"{FINDINGS}/builds"


def code(response: TestResponse) -> tuple[int, str]:
    assert response.json is not None
    return response.status_code, response.json["code"]


def test_the_page_is_of_the_asked_dates_else_of_the_last_whole_month(
    client: StrictClient, golden: int
) -> None:
    page = client.get(FINDINGS)
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert "<title>Findings: April 2024</title>" in page.text
    assert "Net revenue in April 2024 was 297.49 USD, from 1 order." in page.text
    year = client.get(f"{FINDINGS}?start_date=2024-01-01&end_date=2024-12-31")
    assert "Net revenue in 2024 was 4,388.57 USD, from 5 orders." in year.text


def test_no_script_may_run_and_nothing_may_be_fetched(
    client: StrictClient, settings: Settings, golden: int
) -> None:
    keep_report(settings.findings_folder, 1, "<html></html>")
    for address in (FINDINGS, f"{KEPT}/1"):
        response = client.get(address)
        assert response.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["X-Build-Id"] == "1"


def test_the_page_is_asked_for_again_until_there_is_a_newer_build(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    publish_lines(golden_lines())
    first = client.get(FINDINGS)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(FINDINGS, headers=tag).status_code == 304
    # It is kept: made anew, it would name another moment, or at least be made.
    assert client.get(FINDINGS).data == first.data
    assert client.get(f"{FINDINGS}?start_date=2024-04-01", headers=tag).status_code == 200
    publish_lines(golden_lines()[:-1])
    newer = client.get(FINDINGS, headers=tag)
    assert (newer.status_code, newer.headers["X-Build-Id"]) == (200, "2")
    assert "Findings: March 2024" in newer.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start_date=2024-02-01&end_date=2024-01-01", (422, "invalid_range")),
        ("start_date=tomorrow", (400, "invalid_parameter")),
        ("region=Asia", (400, "unknown_parameter")),
        ("format=csv", (400, "unknown_parameter")),
    ],
)
def test_wrong_questions_are_problems(
    client: StrictClient, golden: int, query: str, expected: tuple[int, str]
) -> None:
    assert code(client.get(f"{FINDINGS}?{query}")) == expected


def test_without_numbers_there_is_no_page(
    client: StrictClient, publish_lines: Callable[[list[Line]], int]
) -> None:
    assert code(client.get(FINDINGS)) == (503, "no_build")
    publish_lines([])
    assert code(client.get(FINDINGS)) == (503, "no_build")


def test_kept_reports_are_listed_and_served_as_they_were_made(
    client: StrictClient, settings: Settings
) -> None:
    assert client.get(KEPT).json == {"data": []}
    for build_id in (2, 11):
        keep_report(settings.findings_folder, build_id, f"<p>{build_id}</p>")
    listed = client.get(KEPT).json
    assert listed is not None
    assert [(row["build_id"], row["size_bytes"], row["link"]) for row in listed["data"]] == [
        (11, 9, f"{KEPT}/11"),
        (2, 8, f"{KEPT}/2"),
    ]
    page = client.get(f"{KEPT}/2")
    assert (page.text, page.content_type, page.headers["X-Build-Id"]) == (
        "<p>2</p>",
        "text/html; charset=utf-8",
        "2",
    )
    assert client.get(f"{KEPT}/2", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_a_report_that_is_not_kept_is_a_problem_in_words(client: StrictClient) -> None:
    response = client.get(f"{KEPT}/3")
    assert code(response) == (404, "not_found")
    assert response.json is not None
    assert response.json["detail"] == (
        "No findings report of build 3 is kept; /api/v1/findings/builds lists those that are."
    )
    assert client.get(f"{KEPT}/{10**300}").status_code == 404
    assert client.get(f"{KEPT}/..%2Fsecrets").status_code == 404


def test_callers_limited_to_regions_get_none(
    make_client: Callable[..., StrictClient], accounts: Accounts, settings: Settings, golden: int
) -> None:
    keep_report(settings.findings_folder, 1, "<p>all regions</p>")
    client = make_client(accounts=True)
    limited, viewer = accounts.add("anna", regions=("Europe",)), accounts.add("bert")
    for address in (FINDINGS, KEPT, f"{KEPT}/1"):
        assert code(client.get(address, headers=limited)) == (403, "not_regional")
        assert code(client.get(address)) == (401, "unauthenticated")
        assert client.get(address, headers=viewer).status_code == 200
