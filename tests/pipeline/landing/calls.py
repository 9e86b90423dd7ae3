"""Landing, as tests ask for it."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.landing import BatchResult, LandingRequest, checking, land
from pipeline.landing.opening import open_order_lines
from pipeline.sources import SourceSettings
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse


def request_of(paths: tuple[Path, ...], **options: Any) -> LandingRequest:
    """A call; options are those of the source or of the call."""
    of_source = {name: options.pop(name) for name in tuple(options) if name in SourceSettings.model_fields}
    return LandingRequest(paths, settings=SourceSettings(**of_source), **options)


def landed(warehouse: Warehouse, *paths: Path, **options: Any) -> list[BatchResult]:
    return land(warehouse.urls.owner, request_of(paths, **options), lambda _: None)


def one(warehouse: Warehouse, path: Path, **options: Any) -> BatchResult:
    [result] = landed(warehouse, path, **options)
    return result


def asked(warehouse: Warehouse, query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        return connection.execute(query, values).fetchall()


def statuses(warehouse: Warehouse) -> list[str]:
    return [row[0] for row in asked(warehouse, "select status from raw.batches order by batch_id")]


def lines(count: int, *, first: int = 1, price: str = "1") -> list[str]:
    return [f"{number},P,2024-01-01,1,{price}" for number in range(first, first + count)]


def small(monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    """Read in blocks of this size."""
    monkeypatch.setattr(
        checking, "open_order_lines", lambda path, settings, _: open_order_lines(path, settings, block_bytes)
    )
