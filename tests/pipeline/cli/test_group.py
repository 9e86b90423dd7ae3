"""The top of the command line: quick help, and errors in one message."""

import importlib
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.cli.group import LazyGroup
from pipeline.cli.output import to_json
from pipeline.errors import TillhouseError
from pipeline.settings import PROJECT_ROOT, get_settings
from tests.pipeline.cli.commands import tillhouse


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch, home: Path) -> LazyGroup:
    monkeypatch.setenv("TILLHOUSE_HOME", str(home))
    get_settings.cache_clear()
    return LazyGroup(
        name="tried",
        commands_at={
            name: (f"{__name__}:{name}", "A line.") for name in ("refused", "broken", "interrupted")
        },
    )


@click.command()
def refused() -> None:
    raise TillhouseError("the file has no column 'Order ID': add it")


@click.command()
def broken() -> None:
    raise ZeroDivisionError("division by zero")


@click.command()
def interrupted() -> None:
    raise KeyboardInterrupt


def test_what_a_user_can_act_on_is_one_message_and_exit_code_1(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["refused"])
    assert result.exit_code == 1
    assert result.stderr == "Error: the file has no column 'Order ID': add it\n"
    assert result.stdout == ""


def test_an_error_of_ours_names_the_log_with_the_traceback_and_exits_with_70(
    group: LazyGroup, home: Path
) -> None:
    result = CliRunner().invoke(group, ["broken"])
    log = home / "logs" / "cli-errors.log"
    assert result.exit_code == 70
    assert result.stderr == (
        f"Error: unexpected ZeroDivisionError: division by zero. The details are in {log}\n"
    )
    assert "Traceback" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_an_interrupt_exits_with_130(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["interrupted"])
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_help_imports_no_command() -> None:
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from pipeline.cli import main\n"
        "result = CliRunner().invoke(main, ['--help'])\n"
        "assert 'rejects' in result.output, result.output\n"
        "heavy = {'dagster', 'polars', 'dbt', 'sqlalchemy', 'psycopg', 'rich', 'pydantic'}\n"
        "sys.exit(f'imported: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_every_command_in_the_help_exists(name: str) -> None:
    where = main._commands_at[name][0]
    module, attribute = where.split(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


def test_a_setting_that_cannot_be_used_is_named(home: Path) -> None:
    result = tillhouse(
        "status", environment={"TILLHOUSE_HOME": str(home), "TILLHOUSE_TIME_ZONE": "Europe/Nowhere"}
    )
    assert result.returncode == 1
    assert result.stderr.startswith("Error: TILLHOUSE_TIME_ZONE: ")
    assert "Traceback" not in result.stderr


def test_json_keeps_decimals_exact() -> None:
    from datetime import date
    from decimal import Decimal

    assert to_json({"net": Decimal("4712.5675"), "big": Decimal("1E+3"), "on": date(2024, 2, 29)}) == (
        '{\n  "net": "4712.5675",\n  "big": "1000",\n  "on": "2024-02-29"\n}'
    )
