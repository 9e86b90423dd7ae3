"""Fetching, as tests ask for it."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.fetching import FetchError, fetched
from pipeline.settings import Settings

OURS: dict[str, Any] = {"fetch_hosts": ("127.0.0.1", "localhost", "shop.test"), "fetch_private": True}


def contents(home: Path, *named: str, **settings: Any) -> dict[str, bytes]:
    """The names and bytes of what is fetched; afterwards none of it is left."""
    with fetched(named, Settings(home=home, **{**OURS, **settings}), lambda _: None) as files:
        found = {file.name: file.path.read_bytes() for file in files}
    assert spooled(home) == []
    return found


def refusal(home: Path, *named: str, **settings: Any) -> str:
    """Why nothing is fetched; nothing is left of it."""
    with pytest.raises(FetchError) as caught:
        contents(home, *named, **settings)
    assert spooled(home) == []
    return str(caught.value)


def spooled(home: Path) -> list[Path]:
    """What lies in the spool."""
    folder = home / "fetched"
    return sorted(folder.rglob("*")) if folder.exists() else []
