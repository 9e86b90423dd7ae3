"""What the embedded Postgres takes of machines of several sizes."""

from pathlib import Path

import psutil
import pytest

from pipeline.warehouse.connect import connect
from pipeline.warehouse.sizing import settings_of_this_machine, sized_settings, usable_memory
from tests.conftest import Warehouse

GB = 2**30


@pytest.mark.parametrize(
    ("memory", "cores", "expected"),
    [
        (2 * GB, 2, ("256MB", "1024MB", "16MB", "64MB", "2", "1", "1")),
        (8 * GB, 4, ("1024MB", "4096MB", "32MB", "256MB", "4", "2", "2")),
        (64 * GB, 16, ("1024MB", "32768MB", "128MB", "1024MB", "16", "4", "4")),
        (GB // 2, 1, ("128MB", "512MB", "16MB", "64MB", "1", "1", "1")),
    ],
)
def test_each_setting_is_a_share_of_the_machine_between_bounds(
    memory: int, cores: int, expected: tuple[str, ...]
) -> None:
    assert sized_settings(memory, cores) == dict(
        zip(
            (
                "shared_buffers",
                "effective_cache_size",
                "work_mem",
                "maintenance_work_mem",
                "max_parallel_workers",
                "max_parallel_workers_per_gather",
                "max_parallel_maintenance_workers",
            ),
            expected,
            strict=True,
        )
    )


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("1073741824\n", GB), ("max\n", None), (None, None), (f"{2**62}\n", None)],
)
def test_a_container_with_a_limit_counts_as_a_machine_of_that_size(
    tmp_path: Path, limit: str | None, expected: int | None
) -> None:
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(limit)
    assert usable_memory(file) == (expected or psutil.virtual_memory().total)


def test_the_server_runs_with_them(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        for name, value in settings_of_this_machine().items():
            row = connection.execute(
                "select setting::bigint * case unit when '8kB' then 8192 when 'kB' then 1024 else 1 end"
                " from pg_settings where name = %s",
                (name,),
            ).fetchone()
            wanted = int(value.removesuffix("MB")) * (2**20 if value.endswith("MB") else 1)
            assert row == (wanted,), name
