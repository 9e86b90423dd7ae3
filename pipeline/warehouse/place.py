"""Where the embedded server's files lie, and what is written down about them in the home folder.

`HOME/postgres/server.json` is the record. The files themselves are in `HOME/postgres`, or in a
folder outside the home when the user that runs Postgres cannot enter the home:

    PLACE/settings.conf    read by Postgres, written by us at each start
    PLACE/cluster/         belongs to the user that runs Postgres
    PLACE/cluster/data     the data folder
    PLACE/cluster/server.log
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.warehouse.binaries import ServerUser, can_enter, fallback_roots
from pipeline.warehouse.errors import WarehouseError


@dataclass(frozen=True)
class Place:
    """The folder that holds the server's files, and the port that it was given."""

    folder: Path
    port: int | None

    @property
    def cluster(self) -> Path:
        """What belongs to the user that runs Postgres."""
        return self.folder / "cluster"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.cluster / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.cluster / "server.log"

    @property
    def settings_file(self) -> Path:
        """The settings that differ from Postgres's own."""
        return self.folder / "settings.conf"


def make_home(home: Path) -> None:
    """Make the home folder where there is none; one that exists keeps its permissions.

    Raises:
        WarehouseError: it cannot be made.
    """
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        # Root's Postgres runs as another user, who has to pass through; it may not list.
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"the runtime folder {home} cannot be made ({error.strerror}): "
            "set TILLHOUSE_HOME to a folder that you can write to"
        ) from error


def private_folder(path: Path) -> None:
    """Make a folder, and each one that it lies in, for this user alone; those that exist stay as they are.

    The home folder is not for this: see ``make_home``.

    Raises:
        OSError: it cannot be made.
    """
    # One by one: `parents=True` would give the mode to the last one only.
    for folder in (*reversed(path.parents), path):
        folder.mkdir(mode=0o700, exist_ok=True)


def read_place(home: Path) -> Place | None:
    """The recorded place, or None when no server was ever set up for this home."""
    try:
        record = json.loads((home / "postgres" / "server.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WarehouseError(f"{home / 'postgres' / 'server.json'} cannot be read: {error}") from error
    outside = record.get("folder")
    return Place(Path(outside) if outside else (home / "postgres").resolve(), record.get("port"))


def write_place(home: Path, place: Place) -> None:
    """Write the place down, whole or not at all."""
    own = (home / "postgres").resolve()
    # A place inside the home is not written as a path, so that the home can be moved.
    record = {"folder": None if place.folder == own else str(place.folder), "port": place.port}
    draft = own / f".server.json.{os.getpid()}"
    draft.write_text(json.dumps(record) + "\n", encoding="utf-8")
    draft.replace(own / "server.json")


def choose_place(home: Path, user: ServerUser | None, say: Callable[[str], None]) -> Place:
    """Make the folders for a new server, in the home where that is possible.

    Raises:
        WarehouseError: the server's user can reach neither the home nor any other folder.
    """
    own = Place((home / "postgres").resolve(), None)
    if _make_cluster(own.cluster, user):
        return own
    assert user is not None
    name = hashlib.blake2b(str(home.resolve()).encode(), digest_size=6).hexdigest()
    for root in fallback_roots():
        folder, number = root / name, 1
        while folder.exists():
            number += 1
            folder = root / f"{name}-{number}"
        if number > 1:
            say(f"Left untouched: data of an earlier runtime folder at this path, in {root / name}*.")
        try:
            folder.mkdir(mode=0o711)
        except OSError:
            continue
        place = Place(folder, None)
        if _make_cluster(place.cluster, user):
            say(
                f"The user {user.name}, who runs Postgres because you are root, cannot enter {home}: "
                f"the database's files are in {folder} instead."
            )
            return place
        shutil.rmtree(folder, ignore_errors=True)
    raise WarehouseError(
        f"the user {user.name}, who runs Postgres because you are root, can enter neither {home} nor a "
        "folder in /var/lib or /var/tmp. Set TILLHOUSE_HOME to a folder that it can enter, or DATABASE_URL "
        "to use another Postgres."
    )


def _make_cluster(cluster: Path, user: ServerUser | None) -> bool:
    """Make the server's own folder; False when its user cannot use it there."""
    cluster.mkdir(mode=0o700, exist_ok=True)
    if user is None:
        return True
    try:
        os.chown(cluster, user.uid, user.gid)
        usable = can_enter(user, cluster)
    except OSError:
        usable = False
    if not usable:
        cluster.rmdir()
    return usable
