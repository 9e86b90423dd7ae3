"""Passwords that are made once and kept in the home folder, readable by their owner alone."""

import contextlib
import os
import secrets
from pathlib import Path


def secrets_folder(home: Path) -> Path:
    """Where the passwords are kept: one file each, mode 0600, in a folder of mode 0700."""
    return home / "secrets"


def saved_password(home: Path, role: str) -> str | None:
    """The password kept for a role, or None when none was made yet."""
    try:
        return _file(home, role).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def password_for(home: Path, role: str) -> str:
    """The password kept for a role, made now when there is none.

    Two processes that ask at once get the same one: the file appears whole, by a link that
    fails when another process was first.
    """
    known = saved_password(home, role)
    if known is not None:
        return known
    folder = secrets_folder(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{role}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, _file(home, role))
    finally:
        draft.unlink()
    return _file(home, role).read_text(encoding="ascii")


def _file(home: Path, role: str) -> Path:
    return secrets_folder(home) / f"{role}.password"
