"""``make bench``: every benchmark, one table; ``docs/benchmarks.md`` and its figures are written anew.

BENCH_ROWS says how many lines (1,000,000 unless it is set); arguments choose some of the parts.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import (
    exporting,
    first_load,
    landing,
    pages,
    peers,
    posting,
    refreshes,
    routes,
    sizes,
    starting,
)
from benchmarks.figures import Figure, parts_table, table
from benchmarks.machine import machine
from benchmarks.page import write_page
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.prepare import ensure_warehouse

Part = Callable[[EmbeddedServer, Path, int], list[Figure]]
PARTS: dict[str, Part] = {
    "landing": landing.measure,
    "peers": peers.measure,
    "first-load": first_load.measure,
    "histories": refreshes.on_histories,
    "past": refreshes.of_the_past,
    "sizes": sizes.measure,
    "posting": posting.measure,
    "starting": starting.measure,
    "routes": routes.measure,
    "export": exporting.measure,
    "pages": pages.measure,
}
# Measured on a tenth of the lines as well: how they grow is drawn.
AT_TWO_SIZES = frozenset(("landing", "first-load", "sizes"))
PAGE = PROJECT_ROOT / "docs" / "benchmarks.md"


def main(names: Sequence[str]) -> None:
    """Measure the parts of these names, or all; only a run of all parts is written down."""
    rows = int(os.environ.get("BENCH_ROWS", "1000000"))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="tillhouse-bench-") as folder:
        home = Path(folder)
        # The server runs as another user, who has to get to its files.
        home.chmod(0o711)
        server = EmbeddedServer(home)
        try:
            ensure_warehouse(Settings(home=home), lambda line: None)
            for name in names or PARTS:
                sizes_of_it = (rows // 10, rows) if name in AT_TWO_SIZES else (rows,)
                found = [figure for size in sizes_of_it for figure in PARTS[name](server, home, size)]
                sys.stdout.write(
                    table(found) + "".join(parts_table(figure) for figure in found if figure.parts)
                )
                sys.stdout.flush()
                figures += found
        finally:
            server.stop()
    if not names:
        write_page(PAGE, figures, machine(), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
