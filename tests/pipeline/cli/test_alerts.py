"""`tillhouse alerts check` and `tillhouse alerts test`."""

from pathlib import Path

import pytest

from pipeline.settings import PROJECT_ROOT
from tests.api.test_serving import free_port
from tests.pipeline.alerts.conftest import Hook, hook
from tests.pipeline.cli.commands import tillhouse

__all__ = ["hook"]


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return {"TILLHOUSE_HOME": str(home), "NO_PROXY": "127.0.0.1"}


def test_without_a_file_it_says_where_to_begin(environment: dict[str, str], home: Path) -> None:
    for command in ("check", "test"):
        result = tillhouse("alerts", command, environment=environment)
        assert result.returncode == 1
        assert result.stderr == (
            f"Error: there is no {home}/alerts.toml: copy docs/alerts.example.toml there and fill it in\n"
        )


def test_check_lists_receivers_and_the_secrets_that_are_missing(environment: dict[str, str]) -> None:
    environment |= {"TILLHOUSE_ALERTS": str(PROJECT_ROOT / "docs" / "alerts.example.toml")}
    result = tillhouse("alerts", "check", environment=environment)
    assert result.returncode == 1
    assert "the environment variable TILLHOUSE_WEBHOOK_SECRET is not set" in result.stdout
    environment |= {"TILLHOUSE_WEBHOOK_SECRET": "s3cret", "TILLHOUSE_SMTP_PASSWORD": "s3cret"}
    result = tillhouse("alerts", "check", environment=environment)
    assert result.returncode == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert [row[0] for row in rows if row[-1:] == ["ok"]] == ["chat", "ops"]
    assert "smtp.example.com" in result.stdout
    assert "s3cret" not in result.stdout
    assert "hooks.example.com" not in result.stdout


def test_check_says_what_is_wrong(environment: dict[str, str], home: Path) -> None:
    (home / "alerts.toml").write_text(
        '[[email]]\nhost = "smtp.example"\nfrom = "a@b.example"\nport = "s3cret"\n'
    )
    result = tillhouse("alerts", "check", environment=environment)
    assert result.returncode == 1
    assert "email 1, to: Field required" in result.stderr
    assert "email 1, port: Input should be a valid integer" in result.stderr
    assert "s3cret" not in result.stderr
    assert "Traceback" not in result.stderr


def test_test_sends_to_every_receiver_and_tells_who_did_not_take_it(
    environment: dict[str, str], home: Path, hook: Hook
) -> None:
    (home / "alerts.toml").write_text(f'[[webhook]]\nurl = "{hook.url}"\non = ["late"]\n')
    result = tillhouse("alerts", "test", environment=environment)
    assert (result.returncode, hook.received[0]["event"]) == (0, "test")
    assert "delivered" in result.stdout
    with (home / "alerts.toml").open("a") as file:
        file.write(f'[[webhook]]\nname = "away"\nurl = "http://127.0.0.1:{free_port()}/"\n')
    result = tillhouse("alerts", "test", environment=environment)
    assert result.returncode == 1
    assert "cannot be reached (ConnectError)" in result.stdout
    assert len(hook.bodies) == 2
