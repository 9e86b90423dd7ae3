"""The runtime folder and the folders in it: who may enter them."""

import os
import stat
from pathlib import Path

from pipeline.warehouse.embedded import EmbeddedServer
from pipeline.warehouse.place import make_home, private_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_level_that_is_made_is_private_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    given.chmod(0o775)
    for _ in range(2):
        private_folder(given / "loaded" / "shop")
    assert [mode(path) for path in (given, given / "loaded", given / "loaded" / "shop")] == [
        0o775, 0o700, 0o700,
    ]  # fmt: skip
    private_folder(given)
    assert mode(given) == 0o775


def test_the_server_runs_and_logs_beside_private_folders(home: Path) -> None:
    make_home(home)
    for name in ("inbox", "logs", "dbt"):
        private_folder(home / name)
    server = EmbeddedServer(home)
    server.start()
    assert server.place.folder == (home / "postgres").resolve()
    assert "ready to accept connections" in server.place.log.read_text()
    assert mode(home) == (0o711 if os.geteuid() == 0 else 0o700)
    assert mode(server.place.cluster) == 0o700
