"""dbt, run in this process: an orphaned dbt would go on writing after its parent died."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from pipeline.errors import TillhouseError
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.place import make_home, private_folder

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

PROJECT_FOLDER = PROJECT_ROOT / "dbt_project"
SHOWN_ROWS = 10

# The project as `parse_ahead` read it, by its hash and the warehouse's URL.
_parsed: dict[tuple[str, str], "Manifest"] = {}


class DbtError(TillhouseError):
    """dbt could not do what was asked; the message is dbt's own."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test.

    ``seconds`` is its wall time, ``failing_query`` asks for the rows that failed it, where rows did.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    message: str | None
    failures: int | None
    seconds: float
    failing_query: str | None

    @property
    def passed(self) -> bool:
        """Whether a model was made, or a test found nothing."""
        return self.status in ("success", "pass")


def dbt_home(settings: Settings) -> Path:
    """The folder of dbt's artifacts."""
    return settings.home / "dbt"


def run_dbt(command: Sequence[str], settings: Settings, owner_url: str) -> list[NodeResult]:
    """Run one dbt command over the whole project.

    Returns:
        One result for each node, failed ones included; none for commands without nodes.

    Raises:
        DbtError: dbt failed before, or beside, running nodes (a model does not compile, the
            database is away).
    """
    arguments = [*command, *_common_arguments(settings, dbt_home(settings) / "target")]
    # Taken out: dbt writes into the manifest that it works with.
    manifest = _parsed.pop((project_hash(), owner_url), None)
    with _connection_in_environment(owner_url):
        outcome = _invoke(arguments, manifest)
    results = getattr(outcome.result, "results", None)
    if outcome.exception is not None and not isinstance(outcome.exception, Exception):
        raise outcome.exception  # dbt caught an interruption that was not meant for it alone.
    if outcome.exception is not None:
        raise DbtError(f"dbt {command[0]} failed: {outcome.exception}")
    if not outcome.success and not results:
        raise DbtError(f"dbt {command[0]} failed; its log is in {settings.home / 'logs' / 'dbt'}.")
    return [_node_result(item) for item in results or () if hasattr(item, "node")]


def build_candidate(settings: Settings, owner_url: str, *, full: bool) -> list[NodeResult]:
    """Make every model of the candidate and run its tests; a full build compares the contracts, too.

    Raises:
        DbtError: as `run_dbt`.
    """
    # Nobody reads the artifacts of a build: its results come back, and its manifest is kept apart.
    # Exposures would be nodes with nothing to do.
    left_out = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "exposure"]
    command = ["build", *left_out, "--no-write-json"]
    return run_dbt([*command, *(["--full-refresh"] if full else [])], settings, owner_url)


def ensure_manifest(settings: Settings) -> Path:
    """The manifest of the dbt project as it is now; parses only when the project changed."""
    stamp = dbt_home(settings) / "manifest" / project_hash()
    if not (stamp / "manifest.json").exists():
        make_home(settings.home)
        private_folder(stamp.parent)
        # Parsed aside and moved into place, for several processes may start at once.
        with _warehouse_in_environment(settings), tempfile.TemporaryDirectory(dir=stamp.parent) as scratch:
            outcome = _invoke(["parse", *_common_arguments(settings, Path(scratch))])
            if not outcome.success:
                raise DbtError(f"The dbt project cannot be read: {outcome.exception}")
            _leave_for_builds(settings, Path(scratch) / "partial_parse.msgpack")
            fresh = Path(tempfile.mkdtemp(dir=stamp.parent))
            shutil.move(Path(scratch) / "manifest.json", fresh / "manifest.json")
            try:
                fresh.rename(stamp)
            except OSError:
                shutil.rmtree(fresh)
    return stamp / "manifest.json"


def parse_ahead(settings: Settings, owner_url: str) -> None:
    """Read the project now, so that the next command of this process, or of one forked from it, need not.

    Raises:
        DbtError: the project cannot be read.
    """
    key = project_hash(), owner_url
    with _connection_in_environment(owner_url):
        outcome = _invoke(["parse", *_common_arguments(settings, dbt_home(settings) / "target")])
    if not outcome.success:
        raise DbtError(f"The dbt project cannot be read: {outcome.exception}")
    _parsed[key] = cast("Manifest", outcome.result)


def _leave_for_builds(settings: Settings, parsed: Path) -> None:
    """The first build has not to parse the project again: it does so when the warehouse is another one."""
    target = dbt_home(settings) / "target"
    private_folder(target)
    parsed.replace(target / parsed.name)


@contextmanager
def _warehouse_in_environment(settings: Settings) -> Iterator[None]:
    try:
        owner_url = database_urls(settings).owner
    except WarehouseError:
        # The project can be read without one.
        yield
        return
    with _connection_in_environment(owner_url):
        yield


def load_manifest(settings: Settings) -> dict[str, Any]:
    """The manifest as a dictionary."""
    manifest: dict[str, Any] = json.loads(ensure_manifest(settings).read_text())
    return manifest


def project_hash() -> str:
    """A hash over the dbt project's files: equal projects, equal hash."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT_FOLDER.rglob("*")):
        inside = path.relative_to(PROJECT_FOLDER)
        if path.suffix in (".sql", ".yml", ".md") and inside.parts[0] not in ("target", "logs"):
            digest.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def failing_rows(connection: Connection, result: NodeResult) -> list[dict[str, str | None]]:
    """The first rows that a failed test found, or that a check constraint refused, as text."""
    if result.failing_query is None:
        return []
    # The project's own SQL, as dbt compiled it.
    query = sql.SQL("select * from ({}) as failing limit {}").format(
        sql.SQL(result.failing_query),
        sql.Literal(SHOWN_ROWS),
    )
    cursor = connection.execute(query)
    names = [column.name for column in cursor.description or ()]
    return [
        {name: None if value is None else _text(value) for name, value in zip(names, row, strict=True)}
        for row in cursor.fetchall()
    ]


def _text(value: Any) -> str:
    """An amount in full, whose own text may be 0E-12."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _invoke(arguments: Sequence[str], manifest: "Manifest | None" = None) -> "dbtRunnerResult":
    """Have dbt run, under its own command line: it writes down the process's, which may hold a password."""
    # Imported late: it takes seconds, which callers without a build should not pay.
    from dbt.cli.main import dbtRunner

    from pipeline.builds.dbt_connections import keep_connections

    keep_connections()
    before, sys.argv = sys.argv, ["dbt", *arguments]
    try:
        return dbtRunner(manifest=manifest).invoke(list(arguments))
    finally:
        sys.argv = before


def _common_arguments(settings: Settings, target: Path) -> list[str]:
    return [
        "--project-dir",
        str(PROJECT_FOLDER),
        "--profiles-dir",
        str(PROJECT_FOLDER),
        "--target-path",
        str(target),
        "--log-path",
        str(settings.home / "logs" / "dbt"),
        "--log-level",
        "none",
        "--no-use-colors",
    ]


@contextmanager
def _connection_in_environment(owner_url: str) -> Iterator[None]:
    parts = conninfo_to_dict(owner_url)
    values = {
        f"TILLHOUSE_DBT_{name.upper()}": str(parts[name])
        for name in ("host", "port", "user", "dbname", "sslmode")
        if parts.get(name)
    }
    # dbt keeps a variable of this prefix out of its logs.
    values["DBT_ENV_SECRET_PASSWORD"] = str(parts.get("password") or "")
    # What a crash loses of a candidate, the next build makes anew: no commit has to wait for the disk.
    values["PGOPTIONS"] = "-c synchronous_commit=off"
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        _restore(before)


def _restore(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _node_result(item: Any) -> NodeResult:
    return NodeResult(
        unique_id=item.node.unique_id,
        name=item.node.name,
        kind=str(item.node.resource_type),
        status=str(item.status),
        message=item.message,
        failures=item.failures,
        seconds=float(item.execution_time),
        failing_query=_failing_query(item),
    )


def _failing_query(item: Any) -> str | None:
    """A failed test's own query, or for a broken check constraint the model's rows that break it."""
    compiled = getattr(item.node, "compiled_code", None)
    if not compiled:
        return None
    if item.node.resource_type == "test" and item.status == "fail":
        return str(compiled)
    if item.node.resource_type == "model" and item.status == "error":
        for constraint in item.node.constraints:
            # Postgres names the constraint that is "violated by some row".
            if constraint.type == "check" and constraint.name in (item.message or ""):
                return _rows_against(item.node, compiled, constraint.expression)
    return None


def _rows_against(node: Any, compiled: str, check: str) -> str:
    """The model's rows, in the types of its contract, that the check refuses."""
    columns = ", ".join(f"{name}::{column.data_type} as {name}" for name, column in node.columns.items())
    return f"select * from (select {columns} from ({compiled}) as made) as typed where not ({check})"  # noqa: S608
