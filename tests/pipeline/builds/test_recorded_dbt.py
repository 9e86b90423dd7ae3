"""A build that dbt's statements make again is the one that dbt makes."""

from collections.abc import Sequence
from typing import Any

import pytest
from psycopg import sql

from pipeline.builds.dbt_runner import NodeResult, build_candidate
from pipeline.settings import Settings
from tests.pipeline.builds import recorded_dbt
from tests.pipeline.builds.conftest import Workbench
from tests.pipeline.landing.files import SAMPLE


def test_statements_sent_again_make_what_dbt_makes(
    workbench: Workbench, dbt_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.land(SAMPLE.read_text())
    workbench.build()

    workbench.start(full=True)
    by_dbt = build_candidate(dbt_settings, workbench.warehouse.urls.owner, full=True)
    made_by_dbt = contents(workbench, by_dbt)

    def no_dbt(*args: Any, **settings: Any) -> list[NodeResult]:
        raise AssertionError("dbt was asked")

    monkeypatch.setattr(recorded_dbt, "build_candidate", no_dbt)
    workbench.start(full=True)
    again = workbench.run_dbt()
    assert contents(workbench, again) == made_by_dbt
    assert len(made_by_dbt["fct_order_lines"]) == 6


def contents(workbench: Workbench, results: Sequence[NodeResult]) -> dict[str, list[str]]:
    """Every row of every model, as text."""
    with workbench.connection.cursor() as cursor:
        return {
            result.name: sorted(
                row[0]
                for row in cursor.execute(
                    sql.SQL("select model::text from {} as model").format(
                        sql.Identifier("candidate", result.name)
                    )
                )
            )
            for result in results
            if result.kind == "model"
        }
