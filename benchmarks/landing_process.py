"""Lands one file in a process of its own, and says on one line how long it took and how much memory."""

import json
import resource
import sys
import time
from pathlib import Path

from pipeline.landing import LandingRequest, land


def main(owner_url: str, path: str) -> None:
    """Land ``path`` into the owner's database."""
    started = time.perf_counter()
    [result] = land(owner_url, LandingRequest((Path(path),)), lambda progress: None)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    said = {"seconds": seconds, "peak_bytes": peak, "accepted": result.rows_accepted}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
