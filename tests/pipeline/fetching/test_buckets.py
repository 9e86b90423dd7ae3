"""Files come from an S3-compatible server: one object, or those that fit a pattern."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.pipeline.fetching.fetched_files import contents, refusal

OBJECTS = {
    "exports/2024-02.csv": b"february",
    "exports/2024-01.csv": b"january",
    "exports/notes.txt": b"notes",
    "exports/old/2023-12.csv": b"december",
    "odd/[a].csv": b"odd",
    "big.csv": b"x" * (1024 * 1024 + 1),
}

NO_OBJECT = "there is no such object (for those of a folder, end with /*)"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a server with the bucket ``sales``."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", "testing")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
            patch.setenv("AWS_REGION", "us-east-1")
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            client: Any = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
            client.create_bucket(Bucket="sales")
            for key, data in OBJECTS.items():
                client.put_object(Bucket="sales", Key=key, Body=data)
            yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        ("s3://sales/exports/2024-01.csv", ["exports/2024-01.csv"]),
        ("s3://sales/exports/*.csv", ["exports/2024-01.csv", "exports/2024-02.csv"]),
        ("s3://sales/exports/2024-0?.csv", ["exports/2024-01.csv", "exports/2024-02.csv"]),
        ("s3://sales/exports/*/*.csv", ["exports/old/2023-12.csv"]),
        ("s3://sales/*/notes.txt", ["exports/notes.txt"]),
        ("s3://sales/odd/[a].csv", ["odd/[a].csv"]),
    ],
)
def test_an_address_names_an_object_or_those_that_fit(
    tmp_path: Path, endpoint: str, address: str, keys: list[str]
) -> None:
    found = contents(tmp_path, address, s3_endpoint=endpoint)
    assert list(found.items()) == [(f"s3://sales/{key}", OBJECTS[key]) for key in keys]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://sales/none.csv", f"s3://sales/none.csv: {NO_OBJECT}"),
        ("s3://sales/exports", f"s3://sales/exports: {NO_OBJECT}"),
        ("s3://sales/exports/*.json", "s3://sales/exports/*.json: no object fits"),
        ("s3://sales", "an address in a bucket is written s3://bucket/key; credentials are taken from "
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)  # fmt: skip
def test_what_names_no_object_is_told(tmp_path: Path, endpoint: str, address: str, message: str) -> None:
    assert refusal(tmp_path, address, s3_endpoint=endpoint) == message


def test_credentials_in_the_address_are_refused_and_not_repeated(tmp_path: Path, endpoint: str) -> None:
    told = refusal(tmp_path, "s3://me:topsecret@sales/exports/*.csv", s3_endpoint=endpoint)
    assert told.startswith("an address in a bucket is written s3://bucket/key")
    assert "topsecret" not in told


def test_an_object_beyond_the_limit_is_not_fetched(tmp_path: Path, endpoint: str) -> None:
    told = refusal(tmp_path, "s3://sales/big.csv", s3_endpoint=endpoint, fetch_limit_mb=1)
    assert (
        told == "s3://sales/big.csv: the file is larger than 1 MB (TILLHOUSE_FETCH_LIMIT_MB sets the limit)"
    )


def test_a_server_that_is_not_there_is_told_without_credentials(tmp_path: Path, endpoint: str) -> None:
    told = refusal(tmp_path, "s3://sales/exports/*.csv", s3_endpoint="http://127.0.0.1:1")
    assert told.startswith("s3://sales/exports/*.csv: cannot be read (")
    assert "very-secret" not in told
