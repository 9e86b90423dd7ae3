"""`make`: what a user without the right Python is told."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.settings import PROJECT_ROOT

TARGETS = ["install", "up", "down", "test", "bench", "peers", "schema", "lint", "fix"]


@pytest.fixture
def make(tmp_path: Path, tool: Callable[[str], str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs make in a folder that holds the Makefile and what it reads, and no environment."""
    program = tool("make")
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT_ROOT / name, tmp_path / name)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, "-C", str(tmp_path), "--no-print-directory", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def python_that(folder: Path, script: str) -> str:
    path = folder / "python-under-test"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_help_lists_every_target(make: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    lines = make().stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["help", *TARGETS]


@pytest.mark.parametrize("target", TARGETS)
def test_without_python_every_target_says_what_to_install(
    make: Callable[..., "subprocess.CompletedProcess[str]"], target: str
) -> None:
    result = make(target, "PYTHON=no-such-python")
    assert result.returncode != 0
    assert "apt-get install python3 python3-venv" in result.stderr


def test_an_old_python_is_named(
    make: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    python = python_that(tmp_path, '[ "$1" = --version ] && echo Python 3.9.2; [ "$1" != -c ]')
    result = make("install", python)
    assert result.returncode != 0
    assert "is Python 3.9.2." in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv_names_the_package(
    make: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    python = python_that(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac')
    result = make("install", python)
    assert result.returncode != 0
    assert "apt-get install python3-venv" in result.stderr
    assert not (tmp_path / ".venv").exists()
