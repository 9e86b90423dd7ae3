"""Everything that a request could change, to be compared before and after it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from pipeline.warehouse.connect import connect
from tests.api.fake_dagster import FakeDagster
from tests.conftest import Warehouse

_TABLES = """
select table_schema, table_name
from information_schema.tables
where table_schema in ('app', 'raw', 'core', 'marts', 'candidate') and table_type = 'BASE TABLE'
    and (table_schema, table_name) <> ('app', 'audit')
"""
_HASH = sql.SQL(
    "select {name}, count(*), coalesce(md5(string_agg(t::text, chr(10) order by t::text)), '') from {table} t"
)


@dataclass(frozen=True)
class Watch:
    """Watches a warehouse, its folders, and what Dagster is asked for."""

    warehouse: Warehouse
    fake: FakeDagster

    def state(self) -> dict[str, object]:
        """Rows of every table but the audit's, files of every folder, and runs; to be compared by ``==``."""
        with connect(self.warehouse.urls.owner) as connection:
            tables = connection.execute(_TABLES).fetchall()
            statement = sql.SQL(" union all ").join(
                _HASH.format(name=sql.Literal(".".join(table)), table=sql.Identifier(*table))
                for table in tables
            )
            rows = {name: (count, mark) for name, count, mark in connection.execute(statement).fetchall()}
        settings = self.warehouse.settings
        return {
            "rows": rows,
            "files": {**_files(settings.uploads_folder), **_files(settings.exports_folder)},
            "asked of Dagster": dict(self.fake.asked),
            "runs": {run_id: run["status"] for run_id, run in self.fake.runs.items()},
        }

    def audited(self) -> int:
        """How many attempts are on record."""
        with connect(self.warehouse.urls.owner) as connection:
            row = connection.execute("select count(*) from app.audit").fetchone()
        assert row is not None
        return int(row[0])


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"
        for path in folder.rglob("*")
    }
