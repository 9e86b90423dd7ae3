"""A replay that a refresh was asked for reads a batch as a file of its own feed."""

from pathlib import Path

import pytest

from pipeline.assets.mending import mend
from pipeline.assets.session import RefreshRequest, RefreshSession
from pipeline.landing import land
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.landing.calls import asked, request_of

# What the source says of its order lines; its refunds have the usual names.
SOURCES = '[till]\nmode = "overwrite"\ncolumns.order_id = "Nummer"\n'


@pytest.mark.parametrize("feed_in_sources", ["", '[till]\nfeed = "refunds"\n'])
def test_a_batch_is_replayed_as_its_own_feed(
    warehouse: Warehouse, tmp_path: Path, feed_in_sources: str
) -> None:
    sources = tmp_path / "sources.toml"
    sources.write_text(feed_in_sources or SOURCES)
    settings = warehouse.settings.model_copy(update={"sources": sources})
    path, corrected = tmp_path / "refunds.csv", tmp_path / "corrected.csv"
    path.write_text("Refund ID,Order ID,Amount,Refund Date\nR1,1,10,2024-03-01\nR2,2,20,soon\n")
    corrected.write_text("Refund ID,Order ID,Amount,Refund Date,tillhouse_row\nR2,2,20,2024-03-02,3\n")
    land(warehouse.urls.owner, request_of((path,), feed="refunds", source="till"), lambda _: None)

    request = RefreshRequest(replay=1, files=[str(corrected)])
    with connect(warehouse.urls.owner) as connection:
        session = RefreshSession(
            request, settings, warehouse.urls.owner, connection, "00000000-0000-0000-0000-000000000001", "run"
        )
        [result] = mend(session)
        # The second try of a run that died finds it done.
        assert mend(session) == []
    assert (result.batch_id, result.rows_accepted, result.rows_quarantined) == (1, 1, 0)
    assert asked(warehouse, "select refund_id, row_number from raw.refunds order by refund_id") == [
        ("R1", 2),
        ("R2", 3),
    ]
