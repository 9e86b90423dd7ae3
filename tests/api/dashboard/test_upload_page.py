"""The page that takes files, and what the data page makes of them."""

from io import BytesIO
from typing import Any

import pytest

from pipeline.settings import Settings
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.dashboard.browsers import sign_in
from tests.api.dashboard.driving import Pages
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import LINES, stored


@pytest.fixture
def pages(caller: StrictClient) -> Pages:
    return Pages(caller)


def form(data: bytes = LINES, name: str = "jan.csv", **fields: str) -> dict[str, Any]:
    return {"data": {"file": (BytesIO(data), name), **fields}, "content_type": "multipart/form-data"}


def test_files_are_checked_and_the_data_page_follows_it(
    pages: Pages, fake: FakeDagster, settings: Settings
) -> None:
    response = pages.client.post("/upload", **form(source=" market ", feed=""))
    assert response.status_code == 303
    run = fake.runs["run-1"]
    assert run["selector"]["jobName"] == "check_import"
    asked = run["config"]["ops"]["check_files"]["config"]
    assert (asked["source"], asked["feed"], asked["file_names"]) == ("market", None, ["jan.csv"])
    job_id = run["tags"]["tillhouse/job_id"]
    assert response.headers["Location"] == f"/data?import={job_id}"
    assert (settings.uploads_folder / job_id / "1.csv").read_bytes() == LINES


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (form(source="a/b"), 422, "source: no slashes"),
        (form(feed="wishes"), 400, "feed: Input should be"),
        (form(b""), 400, "A file of this upload is empty."),
        (form(mode="overwrite"), 400, "Send one or several parts named file"),
    ],
)
def test_what_cannot_be_taken_is_said_on_the_page(
    pages: Pages, settings: Settings, sent: dict[str, Any], status: int, words: str
) -> None:
    response = pages.client.post("/upload", **sent)
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert words in response.text
    assert stored(settings.uploads_folder) == []


def test_without_dagster_the_page_says_so(pages: Pages, fake: FakeDagster, settings: Settings) -> None:
    fake.is_down = True
    response = pages.client.post("/upload", **form())
    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "Dagster does not answer." in response.text
    assert stored(settings.uploads_folder) == []


def test_a_viewer_may_not_upload(
    make_client: Any, accounts: Accounts, fake: FakeDagster, settings: Settings
) -> None:
    accounts.add("vera", "viewer")
    pages = Pages(make_client(fake, accounts=True))
    assert pages.client.get("/upload").headers["Location"] == "/sign-in?next=%2Fupload"
    sign_in(pages.client, "vera")
    for response in (pages.client.get("/upload"), pages.client.post("/upload", **form())):
        assert response.status_code == 403
        assert "needs the scope data:write" in response.text
    assert stored(settings.uploads_folder) == []


def test_a_form_of_another_site_uploads_nothing(pages: Pages, settings: Settings) -> None:
    response = pages.client.post("/upload", headers={"Origin": "http://evil.example"}, **form())
    assert response.status_code == 403
    assert stored(settings.uploads_folder) == []


def test_a_form_that_cannot_be_taken_keeps_what_was_filled_in(pages: Pages) -> None:
    response = pages.client.post("/upload", **form(b"", source="market", feed="refunds"))
    assert response.status_code == 400
    assert 'value="market"' in response.text
    assert '<option value="refunds" selected>' in response.text
