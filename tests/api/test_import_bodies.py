"""The bodies of uploads: names, kinds, sizes, and bodies that end early or never."""

from typing import Any
from urllib.parse import urlencode

import pytest

from api import uploads
from pipeline.settings import Settings
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import IMPORTS, LINES, form, job_of, send, stored

NUL = "\0"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\sales\\jan.csv", "jan.csv"),
        ("/etc/cron.d/x", "x"),
        ("..", "upload.csv"),
        ("", "upload.csv"),
        ("a\x00b\n<c>|`d.csv", "ab_c___d.csv"),
        ("€ März.csv", "€ März.csv"),
        ("x" * 300, "x" * 200),
        (".hidden", "hidden"),
    ],
)
def test_a_clients_file_name_is_only_a_label(
    caller: StrictClient, settings: Settings, name: str, shown: str
) -> None:
    assert uploads.label(name) == shown
    job = job_of(send(caller, f"?{urlencode({'filename': name.replace(NUL, '') or 'upload.csv'})}"))
    assert job["files"][0]["name"] == shown
    assert stored(settings.uploads_folder) == [job["id"], f"{job['id']}/1.csv"]


EMPTY = {"data": b"", "content_type": "text/csv", "environ_overrides": {"CONTENT_LENGTH": "0"}}


@pytest.mark.parametrize(
    ("query", "options", "status", "code"),
    [
        ("", {"data": LINES, "content_type": "application/json"}, 415, "unsupported_media_type"),
        ("", {"data": LINES}, 415, "unsupported_media_type"),
        ("", EMPTY, 400, "invalid_body"),
        ("", form(("empty.csv", b"")), 400, "invalid_body"),
        ("", form(), 400, "invalid_body"),
        ("", form(("a.csv", LINES), mode="append"), 400, "invalid_body"),
        ("?filename=x.csv", form(("a.csv", LINES)), 422, "invalid_value"),
        ("", {"data": b"--x\r\nfoo", "content_type": "multipart/form-data; boundary=x"}, 400, "invalid_body"),
        ("", {"data": b"--x\r\nfoo", "content_type": "multipart/form-data"}, 400, "invalid_body"),
        ("?source=../x", {"data": LINES, "content_type": "text/csv"}, 422, "invalid_value"),
        ("?source=", {"data": LINES, "content_type": "text/csv"}, 422, "invalid_value"),
        ("?mode=replace", {"data": LINES, "content_type": "text/csv"}, 400, "invalid_parameter"),
        ("?path=/etc/passwd", {"data": LINES, "content_type": "text/csv"}, 400, "unknown_parameter"),
    ],
)
def test_what_is_no_upload_is_refused_and_leaves_nothing(
    caller: StrictClient,
    fake: FakeDagster,
    settings: Settings,
    query: str,
    options: dict[str, Any],
    status: int,
    code: str,
) -> None:
    response = caller.post(f"{IMPORTS}{query}", **options)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (status, code)
    assert_nothing_is_left(caller, fake, settings)


def assert_nothing_is_left(caller: StrictClient, fake: FakeDagster, settings: Settings) -> None:
    assert stored(settings.uploads_folder) == []
    assert fake.runs == {}
    listed = caller.get(IMPORTS).json
    assert listed is not None
    assert listed["data"] == []


class Cut:
    """A body that ends before it should; the server hands on only what has arrived whole."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int = -1) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def test_a_raw_body_that_is_shorter_than_its_length_is_refused(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    environ: dict[str, Any] = {"wsgi.input": Cut(LINES), "CONTENT_LENGTH": str(len(LINES) + 1)}
    response = caller.post(IMPORTS, content_type="text/csv", environ_overrides=environ)
    assert response.status_code == 400
    assert_nothing_is_left(caller, fake, settings)


def test_a_form_that_is_cut_short_is_refused(
    caller: StrictClient, fake: FakeDagster, settings: Settings
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    environ = {"wsgi.input": Cut(head + LINES), "wsgi.input_terminated": True}
    kind = "multipart/form-data; boundary=x"
    response = caller.post(IMPORTS, content_type=kind, environ_overrides=environ)
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (400, "invalid_body")
    assert_nothing_is_left(caller, fake, settings)


class Endless:
    """A body without an end, which counts what is taken of it."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        piece, self.head = self.head[:size], self.head[size:]
        piece = piece or (b"x" * 1023 + b"\n")[:size]
        self.taken += len(piece)
        return piece


def test_a_form_without_a_length_is_taken_up_to_the_limit(
    make_client: Any, fake: FakeDagster, settings: Settings
) -> None:
    caller = make_client(fake, upload_limit_mb=1)
    body = Endless(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n')
    environ = {"wsgi.input": body, "wsgi.input_terminated": True}
    kind = "multipart/form-data; boundary=x"
    response = caller.post(IMPORTS, content_type=kind, environ_overrides=environ)
    assert (response.status_code, response.json["code"]) == (413, "body_too_large")
    assert body.taken == 1024 * 1024
    assert_nothing_is_left(caller, fake, settings)


def test_a_length_above_the_limit_is_refused_before_a_byte_is_read(
    make_client: Any, fake: FakeDagster, settings: Settings
) -> None:
    caller = make_client(fake, upload_limit_mb=1)
    body = Endless(b"")
    environ = {"wsgi.input": body, "CONTENT_LENGTH": str(1024 * 1024 + 1), "wsgi.input_terminated": True}
    response = caller.post(IMPORTS, content_type="text/csv", environ_overrides=environ)
    assert (response.status_code, response.json["code"]) == (413, "body_too_large")
    assert body.taken == 0
    assert_nothing_is_left(caller, fake, settings)
