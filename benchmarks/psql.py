"""psql, as a person runs it beside us: on the same server, as the same role."""

import subprocess
import time
from pathlib import Path

from pipeline.warehouse.binaries import wheel_programs


def run_psql(url: str, *commands: str, file: Path | None = None) -> float:
    """Run commands (and then a file of SQL) in one session; the seconds that it took."""
    words = [word for command in commands for word in ("-c", command)] + (["-f", str(file)] if file else [])
    started = time.perf_counter()
    subprocess.run(
        [wheel_programs() / "psql", url, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", *words],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started
