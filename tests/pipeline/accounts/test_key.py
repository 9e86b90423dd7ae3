"""The key of access tokens: made once, readable by its owner alone, and asked for before the API listens."""

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline.warehouse.passwords import saved_signing_key, signing_key
from pipeline.warehouse.prepare import ensure_warehouse
from tests.conftest import Warehouse


def test_the_key_has_256_random_bits_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    assert saved_signing_key(tmp_path) is None
    key = signing_key(tmp_path)
    assert len(key) == 43
    assert saved_signing_key(tmp_path) == signing_key(tmp_path) == key
    assert signing_key(tmp_path / "another home") != key
    file = tmp_path / "secrets" / "tokens.key"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]


def test_those_who_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)

    def make(_: int) -> bytes:
        barrier.wait(30)
        return signing_key(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["tokens.key"]


def test_it_is_made_with_the_warehouse(warehouse: Warehouse) -> None:
    assert saved_signing_key(warehouse.settings.home) is None
    ensure_warehouse(warehouse.settings, lambda line: None)
    assert saved_signing_key(warehouse.settings.home) is not None


@pytest.mark.parametrize("asked", [{"TILLHOUSE_ACCOUNTS": "true"}, {"TILLHOUSE_API_HOST": "0.0.0.0"}])
def test_with_accounts_the_api_does_not_listen_without_it(
    warehouse: Warehouse, asked: dict[str, str]
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "api"],
        env={**os.environ, **warehouse.environment, **asked},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        f"api: accounts are on, and {warehouse.settings.home} has no key for their tokens yet: "
        "run `tillhouse up`"
    )
