"""Uploads before a stand-in for Dagster: what their tests share."""

from io import BytesIO
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from tests.api.conftest import StrictClient

LINES = b"Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\n1,P1,2024-01-05,2,9.50\n"
IMPORTS = "/api/v1/imports"


def form(*files: tuple[str, bytes], **fields: str) -> dict[str, Any]:
    """The arguments of a POST that sends files as a form."""
    parts: dict[str, Any] = {"file": [(BytesIO(data), name) for name, data in files], **fields}
    return {"data": parts, "content_type": "multipart/form-data"}


def send(client: StrictClient, query: str = "", body: bytes = LINES, **options: Any) -> TestResponse:
    """Send one file as a raw body."""
    return client.post(f"{IMPORTS}{query}", data=body, content_type="text/csv", **options)


def job_of(response: TestResponse) -> dict[str, Any]:
    """The job that was answered."""
    assert response.status_code == 202, response.data
    assert response.json is not None
    job: dict[str, Any] = response.json["data"]
    return job


def stored(folder: Path) -> list[str]:
    """What is in the folder of uploads: files by their paths in it, and empty folders."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []
