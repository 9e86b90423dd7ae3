"""Names of files: labels that lead nowhere, in uploads, exports and the documentation."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pipeline.settings import Settings
from tests.api.accounts import Accounts
from tests.api.conftest import StrictClient
from tests.api.fake_dagster import FakeDagster
from tests.api.import_jobs import IMPORTS, LINES, form, job_of, stored
from tests.api.security.conftest import finish_export
from tests.api.security.state import Watch
from tests.conftest import Warehouse

MakeService = Callable[..., StrictClient]
EXPORTS = "/api/v1/exports"

NAMES = (
    "../../../../etc/cron.d/x", "..\\..\\windows\\system32\\x", "/etc/passwd", "//server/share/x",
    "\\\\server\\x",
    "C:\\x.csv", "C:x.csv", "file:///etc/passwd", "%2e%2e%2fx", "..%2fx", "....//x", "..;/x", ".", "..",
    "...", "~root",
    ".htaccess", "CON", "nul.csv", "aux.csv.gz", "x.csv.", "x.csv ", "x.csv::$DATA", "x\u202evsc.exe", "-rf",
    "--help",
    "$(id).csv", "`id`.csv", "a;b|c&d.csv", "*", "x" * 900, "é" * 300, "=cmd|'/c calc'!A1", "1.csv",
    "\u2024\u2024/x",
)  # fmt: skip


@pytest.mark.parametrize("way", ["form", "raw"])
def test_no_name_of_an_upload_leads_out_of_its_folder(
    service: MakeService, accounts: Accounts, fake: FakeDagster, settings: Settings, way: str
) -> None:
    client, headers = service(), accounts.add("root", "editor")
    around = stored(settings.home)
    for number, name in enumerate(NAMES, start=1):
        if way == "form":
            response = client.post(IMPORTS, headers=headers, **form((name, LINES)))
        else:
            query = urlencode({"filename": name})
            response = client.post(f"{IMPORTS}?{query}", headers=headers, data=LINES, content_type="text/csv")
        job = job_of(response)
        [file] = job["files"]
        assert not set(file["name"]) & set('/\\<>:"|?*`'), name
        assert not file["name"].startswith((".", " ")), name
        assert len(file["name"]) <= 200
        config = fake.runs[f"run-{number}"]["config"]["resources"]["refresh_request"]["config"]
        path = settings.uploads_folder / job["id"] / "1.csv"
        assert config["files"] == [str(path)]
        assert path.read_bytes() == LINES
    made = [name for name in stored(settings.home) if not name.startswith("uploads")]
    assert made == around
    assert len(stored(settings.uploads_folder)) == 2 * len(NAMES)


def test_no_name_of_a_source_is_a_path(service: MakeService, accounts: Accounts, watch: Watch) -> None:
    client, headers = service(), accounts.add("root", "editor")
    before = watch.state()
    for source in (
        "../x", "..", "a/b", "a\\b", "/etc", ".hidden", " x", "x ", "x\n", "x\0", "x" * 64, "\u2028",
        "\u202ex", "\x1b",
    ):  # fmt: skip
        query = urlencode({"source": source})
        refused = client.post(f"{IMPORTS}?{query}", headers=headers, data=LINES, content_type="text/csv")
        assert refused.status_code == 422, source
    assert watch.state() == before


def test_a_part_of_a_form_without_a_name_or_with_several_is_no_way_out(
    service: MakeService, accounts: Accounts, settings: Settings, watch: Watch
) -> None:
    client, headers = service(), accounts.add("root", "editor")
    before = watch.state()
    for disposition in (
        'form-data; name="file"',
        'form-data; name="../file"; filename="x.csv"',
        'form-data; name="file[]"; filename="x.csv"',
        'attachment; filename="x.csv"',
        "form-data",
        "",
    ):
        body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + LINES + b"\r\n--x--\r\n"
        refused = client.post(
            IMPORTS, headers=headers, data=body, content_type="multipart/form-data; boundary=x"
        )
        assert refused.status_code == 400, disposition
    assert watch.state() == before
    for name in ("filename*=utf-8''..%2f..%2fx", 'filename="a.csv"; filename="../../x"', "filename=../../x"):
        head = f'--x\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'.encode()
        response = client.post(
            IMPORTS,
            headers=headers,
            data=head + LINES + b"\r\n--x--\r\n",
            content_type="multipart/form-data; boundary=x",
        )
        assert response.status_code in (202, 400), name
    for path in settings.uploads_folder.rglob("*"):
        assert path.name == "1.csv" or path.is_dir()


def test_the_folder_of_exports_gives_nothing_but_finished_exports(
    service: MakeService, accounts: Accounts, warehouse: Warehouse, tmp_path: Path, golden: int
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    job = job_of(client.post(EXPORTS, headers=headers, json={"path": "/api/v1/orders"}))
    folder = warehouse.settings.exports_folder
    finish_export(warehouse, job["id"], b"a\r\n")
    (folder / "secret.csv").write_text("secret")
    (folder / f".{job['id']}.part").write_text("secret")
    for name in (
        "secret.csv", "secret", f"{job['id']}.csv", f".{job['id']}.part", f"{job['id']}/../secret",
        "..%2fsecret",
        f"{job['id']}%00", f"{{{job['id']}}}", job["id"].replace("-", ""), f"{job['id']}%2f..%2fsecret.csv",
    ):  # fmt: skip
        for address in (f"{EXPORTS}/{name}/file", f"{EXPORTS}/{name}"):
            found = client.get(address, headers=headers)
            assert found.status_code == 404, address
    assert client.get(f"{EXPORTS}/{job['id'].upper()}/file", headers=headers).data == b"a\r\n"


def test_a_link_in_place_of_an_export_is_not_followed_when_it_is_removed(
    service: MakeService, accounts: Accounts, warehouse: Warehouse, tmp_path: Path, golden: int
) -> None:
    client, headers = service(), accounts.add("root", "admin")
    job = job_of(client.post(EXPORTS, headers=headers, json={"path": "/api/v1/orders"}))
    finish_export(warehouse, job["id"], b"a\r\n")
    file, target = warehouse.settings.exports_folder / f"{job['id']}.csv", tmp_path / "kept"
    target.write_text("kept")
    file.unlink()
    os.symlink(target, file)
    assert client.delete(f"{EXPORTS}/{job['id']}", headers=headers).status_code == 202
    assert target.read_text() == "kept"
    assert not file.is_symlink()


def test_the_documentation_gives_no_other_file(service: MakeService) -> None:
    client = service()
    for name in (
        "index.html", "../conftest.py", "..%2f..%2fapi%2fapp.py", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd",
        "start.js%00", "start.js/..", "swagger-ui.css.map", "swagger-ui-bundle.js.map", "", "%5c..%5cx",
        "START.JS",
    ):  # fmt: skip
        assert client.get(f"/docs/{name}").status_code == 404, name


def test_what_a_file_is_called_is_one_plain_name(
    service: MakeService, accounts: Accounts, golden: int
) -> None:
    client, headers = service(), accounts.add("anna")
    for order_id in (
        'x"; filename="evil.exe',
        "a\\b",
        "€",
        "Å",
        "a/b/../c",
        "\u202egpj.exe",
        "x;y",
        "%0d%0aX: 1",
    ):
        response = client.get(f"/api/v1/orders/{order_id}?format=csv", headers=headers)
        given = response.headers.get("Content-Disposition", "")
        if response.status_code == 404:
            continue
        assert response.status_code == 200
        assert given.isascii(), given
        assert given.count("filename=") <= 1
        assert given.count('"') in (0, 2), given
        assert given.rstrip('"').endswith(".csv"), given
