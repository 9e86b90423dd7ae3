"""Batches and builds."""

from typing import Any

import pytest

from pipeline.warehouse.connect import connect
from tests.api.conftest import StrictClient
from tests.conftest import Warehouse


@pytest.fixture
def five(warehouse: Warehouse) -> None:
    with connect(warehouse.urls.owner) as connection:
        for number in range(1, 6):
            connection.execute(
                "insert into raw.batches (batch_id, call_id, source, mode, status, file_name, rows_read,"
                " rows_accepted, rows_quarantined, reasons, requested_by) values"
                " (%s, 1, %s, 'append', %s, 'sales.csv', 6, 5, 1, '{\"negative_price\": 1}', 'cli')",
                (number, "web" if number % 2 else "default", "landed" if number < 5 else "running"),
            )
            connection.execute(
                "insert into core.builds (status, is_full, requested_by, net_revenue_before,"
                " net_revenue_after) values (%s, false, 'cli', 0, 4712.5675)",
                ("failed" if number == 5 else "published",),
            )
            connection.execute("insert into core.build_batches values (%s, %s)", (number, number))


def pages(client: StrictClient, path: str) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = client.get(f"{path}{cursor}").json
        assert page is not None
        found.extend(page["data"])
        if not page["page"]["has_more"]:
            return found
        cursor = f"&cursor={page['page']['next_cursor']}"


@pytest.mark.usefixtures("five")
def test_batches_are_listed_newest_first_with_their_counts_and_build(client: StrictClient) -> None:
    found = pages(client, "/api/v1/batches?limit=2")
    assert [batch["batch_id"] for batch in found] == [5, 4, 3, 2, 1]
    assert [batch["build_id"] for batch in found] == [None, 4, 3, 2, 1]
    assert found[0]["reasons"] == {"negative_price": 1}
    assert found[0]["started_at"].endswith("Z")


@pytest.mark.usefixtures("five")
def test_batches_can_be_filtered(client: StrictClient) -> None:
    found = pages(client, "/api/v1/batches?source=web&status=landed")
    assert [batch["batch_id"] for batch in found] == [3, 1]
    assert client.get("/api/v1/batches?status=lost").status_code == 400


@pytest.mark.usefixtures("five")
def test_builds_are_listed_newest_first(client: StrictClient) -> None:
    found = pages(client, "/api/v1/builds?limit=3")
    assert [build["build_id"] for build in found] == [5, 4, 3, 2, 1]
    assert found[1]["net_revenue_before"] == "0.00"
    assert found[1]["net_revenue_after"] == "4712.5675"
    assert found[1]["batch_ids"] == [4]


@pytest.mark.usefixtures("five")
def test_one_build_can_be_had(client: StrictClient) -> None:
    found = client.get("/api/v1/builds/5").json
    assert found is not None
    assert (found["data"]["build_id"], found["data"]["status"]) == (5, "failed")


@pytest.mark.parametrize("build_id", ["7", "0", "-1", "99999999999999999999999999", "x"])
def test_a_build_that_is_not_there_is_not_found(client: StrictClient, build_id: str) -> None:
    assert client.get(f"/api/v1/builds/{build_id}").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/batches", "/api/v1/builds", "/api/v1/refreshes"])
def test_a_cursor_of_another_list_is_refused(client: StrictClient, path: str) -> None:
    response = client.get(f"{path}?cursor=WyJ4Il0")
    assert response.json is not None
    assert (response.status_code, response.json["code"]) == (400, "invalid_cursor")
