"""`tillhouse report findings`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from tests.api.published import golden_lines, publish
from tests.conftest import Warehouse

Report = Callable[..., Result]


@pytest.fixture
def report(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Report]:
    for name, value in warehouse.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, ["report", "findings", *arguments])
    get_settings.cache_clear()


@pytest.fixture
def golden(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        publish(connection, golden_lines())


@pytest.mark.usefixtures("golden")
def test_without_options_the_last_whole_month_is_written_into_the_current_folder(
    report: Report, tmp_path: Path
) -> None:
    result = report()
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "Findings of 2024-04-01 to 2024-04-30 (the last whole month of the data), build 1, written to "
        "findings-2024-04-01-2024-04-30.html. Open it in a browser; printed from there it is a PDF.\n"
    )
    [page] = tmp_path.iterdir()
    assert page.name == "findings-2024-04-01-2024-04-30.html"
    assert "Net revenue in April 2024 was 297.49 USD, from 1 order." in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("golden")
def test_dates_and_file_can_be_named(report: Report, tmp_path: Path) -> None:
    result = report("--from", "2024-01-01", "--to", "2024-12-31", "--output", "year.html")
    assert result.exit_code == 0, result.output
    assert "Findings: 2024</title>" in (tmp_path / "year.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize(
    ("arguments", "name"),
    [([], "findings-2024-04-01-2024-04-30.html"), (["--output", "mine.html"], "mine.html")],
)
def test_a_file_that_is_there_is_left_as_it_is(
    report: Report, tmp_path: Path, arguments: list[str], name: str
) -> None:
    (tmp_path / name).write_text("mine")
    result = report(*arguments)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {name} is there already and was left as it is: name another file with --output, or "
        "remove it\n"
    )
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.usefixtures("golden")
def test_a_folder_that_is_not_there_is_explained(report: Report) -> None:
    result = report("--output", "absent/page.html")
    assert result.exit_code == 1
    assert result.stderr == "Error: absent/page.html: cannot be written (No such file or directory)\n"


@pytest.mark.usefixtures("golden")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2024-02-01", "--to", "2024-01-01"], "--from 2024-02-01 is after --to 2024-01-01"),
        (["--from", "yesterday"], "yesterday"),
    ],
)
def test_wrong_dates_are_explained(report: Report, tmp_path: Path, arguments: list[str], said: str) -> None:
    result = report(*arguments)
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert said in result.stderr


def test_before_the_first_build_the_message_says_what_to_do(report: Report, tmp_path: Path) -> None:
    result = report()
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "load a file" in result.stderr
