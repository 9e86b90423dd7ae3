"""Dagster's code server: ``python -m pipeline.supervisor.code_location --host HOST --port PORT``.

Dagster starts each run as a new Python process, which takes seconds to import Dagster and dbt. Here runs are
forked from a process that has imported them already: multiprocessing's own forkserver. What starts
threads that a fork would lose (Polars) each run imports by itself, and nearly all that is of ours.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Sequence
from multiprocessing import forkserver
from typing import Any

from dagster._cli.api import api_cli
from dagster._grpc import server

PRELOADED = (
    "dagster._grpc.impl",
    "dagster_dbt",
    "dagster_postgres",
    "dbt.adapters.postgres",
    "dbt.cli.main",
    "httpx",
    "numpy",
    "pipeline.supervisor.parsed_project",
    "psycopg",
    "pydantic_settings",
    "scipy.optimize",
    "sqlalchemy.dialects.mssql",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "upath.core",
)
_BEGIN_AFTER_SECONDS = 5.0
# numpy would start threads of its own when it is imported; nothing here needs them.
NO_THREADS = {"OPENBLAS_NUM_THREADS": "1"}


class ForkingServer(server.DagsterApiServer):
    """Dagster's server, but for how it makes a run's process."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        os.environ.update(NO_THREADS)
        multiprocessing.set_forkserver_preload(list(PRELOADED))
        # Begun soon, so that the first run need not wait for it; not now, when all services begin.
        begin = threading.Timer(_BEGIN_AFTER_SECONDS, forkserver.ensure_running)
        begin.daemon = True
        begin.start()
        # Dagster has no setting for it. If the name goes, runs start as slowly as before: a test would tell.
        self._mp_ctx: Any = multiprocessing.get_context("forkserver")


def main(arguments: Sequence[str]) -> None:
    """Serve the definitions until the process is told to end."""
    server.DagsterApiServer = ForkingServer  # type: ignore[misc]
    api_cli(["grpc", "-m", "pipeline.definitions", "--location-name", "tillhouse", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
