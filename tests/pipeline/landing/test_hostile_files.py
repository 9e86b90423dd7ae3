"""Each hostile file either lands right or says exactly why not, and its rows are all accounted for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Warehouse, fresh_warehouse
from tests.pipeline.landing.calls import asked, one
from tests.pipeline.landing.files import bytes_file
from tests.pipeline.landing.hostile_files import ALL, Hostile, expected
from tests.pipeline.landing.hostile_formats import MORE

EVERY = (*ALL, *MORE)


@pytest.fixture(scope="module")
def shared_warehouse(postgres_server: EmbeddedServer) -> Iterator[Warehouse]:
    """One warehouse for all of them: each is a source of its own."""
    with fresh_warehouse(postgres_server) as made:
        yield made


def test_their_names_differ() -> None:
    assert len({hostile.name for hostile in EVERY}) == len(EVERY) >= 60


@pytest.mark.parametrize("hostile", EVERY, ids=[hostile.name for hostile in EVERY])
def test_it_lands_right_or_says_why_not(
    shared_warehouse: Warehouse, tmp_path: Path, hostile: Hostile
) -> None:
    path = bytes_file(tmp_path, hostile.data)
    result = one(shared_warehouse, path, source=hostile.name[:63], **hostile.settings)
    landed = asked(
        shared_warehouse,
        "select order_id, product_id, sale_date, quantity, unit_price, discount, region"
        " from raw.order_lines where batch_id = %s order by row_number",
        result.batch_id,
    )
    if hostile.refused is not None:
        assert result.status == "refused"
        assert (result.message or "").startswith(hostile.refused)
        assert landed == []
        return
    assert (result.status, result.message) == ("landed", hostile.note)
    assert landed == expected(hostile)
    assert result.reasons == hostile.reasons
    assert result.rows_read == len(landed) + sum(hostile.reasons.values())
    quarantined = asked(
        shared_warehouse, "select count(*) from raw.quarantine where batch_id = %s", result.batch_id
    )
    assert quarantined == [(sum(hostile.reasons.values()),)]
