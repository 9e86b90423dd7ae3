"""`tillhouse load` and `tillhouse inspect` take patterns and addresses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.settings import get_settings
from tests.pipeline.fetching.web_server import WebServer, file_of, web_server
from tests.pipeline.landing.files import HEADER, csv_file

DATA = f"{HEADER}\n1,P,2024-01-31,2,1.50\n".encode()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A web server that files may be fetched from."""
    monkeypatch.setenv("TILLHOUSE_HOME", str(tmp_path))
    monkeypatch.setenv("TILLHOUSE_FETCH_HOSTS", "127.0.0.1")
    monkeypatch.setenv("TILLHOUSE_FETCH_PRIVATE", "1")
    get_settings.cache_clear()
    with web_server() as server:
        yield server
    get_settings.cache_clear()


def test_a_load_takes_a_pattern(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        csv_file(tmp_path, "1,P,2024-01-31,2,1.50", name=name)
    result = CliRunner().invoke(main, ["load", "--dry-run", "--json", f"{tmp_path}/*.csv"])
    assert [batch["file_name"] for batch in json.loads(result.stdout)["batches"]] == ["a.csv", "b.csv"]


@pytest.mark.parametrize("command", [["load", "--dry-run", "--json"], ["inspect", "--json"]])
def test_an_address_is_fetched_and_shown_without_its_secrets(web: WebServer, command: list[str]) -> None:
    web.answers["/sales.csv?token=topsecret"] = file_of(DATA)
    address = web.address("/sales.csv?token=topsecret", userinfo="me:topsecret@")
    result = CliRunner().invoke(main, [*command, address])
    assert result.exit_code == 0, result.output
    assert "topsecret" not in result.output
    found = json.loads(result.stdout)
    batch = found["batches"][0] if "batches" in found else found
    assert (batch["file_name"], batch["rows_accepted"]) == (web.address("/sales.csv"), 1)


@pytest.mark.parametrize("command", [["load", "--dry-run"], ["load"], ["inspect"]])
def test_what_cannot_be_fetched_ends_with_1_and_one_message(web: WebServer, command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, web.address("/none.csv?token=topsecret")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"Fetching {web.address('/none.csv')}",
        f"Error: {web.address('/none.csv')}: the server answered 404; there is no such file",
    ]


def test_an_inspection_looks_at_one_file(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        csv_file(tmp_path, name=name)
    result = CliRunner().invoke(main, ["inspect", f"{tmp_path}/*.csv"])
    assert result.exit_code == 2
    assert "names 2 files; name one of them" in result.stderr
