"""Answers as JSON."""

import re
from typing import Any

import msgspec
from flask import Response

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

_encoder = msgspec.json.Encoder()


def encode(body: Any) -> bytes:
    """JSON; dates and times in ISO 8601."""
    return _encoder.encode(body)


def download_name(path: str, ending: str) -> str:
    """What a file is called that a route's ``path`` gives; ids in paths may hold anything."""
    plain = re.sub("[^A-Za-z0-9]+", "-", path.removeprefix("/api/v1/")).strip("-")
    return f"{plain[:100]}.{ending}"


def json_response(body: Any, status: int = 200, *, media_type: str = JSON) -> Response:
    """A response with ``body`` as JSON, which bytes are already."""
    return Response(body if isinstance(body, bytes) else encode(body), status, content_type=media_type)


def see_other(address: str) -> Response:
    """A response that leads a browser on to another address, by GET whatever this request was."""
    return Response(status=303, headers={"Location": address})
