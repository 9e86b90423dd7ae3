"""Runs the command line as a user does: as a program."""

import os
import subprocess
import sys
from collections.abc import Mapping

from pipeline.settings import PROJECT_ROOT


def tillhouse(
    *arguments: str, environment: Mapping[str, str], given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run `tillhouse` with these arguments; `given` is typed in."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env={**os.environ, **environment},
        cwd=PROJECT_ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
