"""Secrets that are made once and kept in the home folder, readable by their owner alone."""

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
    return _made_once(_file(home, role), 24)


def saved_signing_key(home: Path) -> bytes | None:
    """The key that access tokens are signed with, or None when none was made yet."""
    try:
        return _key_file(home).read_bytes()
    except FileNotFoundError:
        return None


def signing_key(home: Path) -> bytes:
    """The key that access tokens are signed with (256 random bits), made now when there is none."""
    return _made_once(_key_file(home), 32).encode("ascii")


def _made_once(path: Path, size: int) -> str:
    """The text of a secret's file, made from ``size`` random bytes when there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.parent / f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(size))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")


def _file(home: Path, role: str) -> Path:
    return secrets_folder(home) / f"{role}.password"


def _key_file(home: Path) -> Path:
    return secrets_folder(home) / "tokens.key"
