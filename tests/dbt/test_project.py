"""The dbt project: its unit tests, its layers, and what every model says of itself."""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.builds.dbt_runner import PROJECT_FOLDER, load_manifest, run_dbt
from pipeline.settings import Settings
from tests.pipeline.builds.conftest import Workbench

# What each layer may read.
LAYERS = {
    "staging": {"source.raw", "source.build"},
    "core": {"staging", "core", "source.published_core", "source.build"},
    # A mart may sum up another one further.
    "marts": {"core", "marts", "source.published_marts", "source.build"},
}
MODELS = sorted((PROJECT_FOLDER / "models").rglob("*.sql"))


@pytest.fixture(scope="module")
def manifest(dbt_settings: Settings) -> dict[str, Any]:
    return load_manifest(dbt_settings)


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def test_every_unit_test_passes(workbench: Workbench, dbt_settings: Settings) -> None:
    # A unit test asks the database for its inputs' types, so they have to be there.
    workbench.land("Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\nO1,P1,2024-01-01,1,1\n")
    workbench.build()
    results = run_dbt(["test", "--select", "test_type:unit"], dbt_settings, workbench.warehouse.urls.owner)
    assert {result.name: result.message for result in results if not result.passed} == {}
    assert len(results) == 22


def test_each_layer_reads_only_the_one_below(manifest: dict[str, Any]) -> None:
    def layer(unique_id: str) -> str:
        if unique_id.startswith("source."):
            return "source." + unique_id.split(".")[2]
        return str(manifest["nodes"][unique_id]["fqn"][1])

    wrong = [
        f"{node['name']} reads {parent}"
        for node in models(manifest)
        for parent in node["depends_on"]["nodes"]
        if layer(parent) not in LAYERS[node["fqn"][1]]
    ]
    assert wrong == []


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_has_its_yml_beside_it_and_can_be_read_in_one_sitting(path: Path) -> None:
    yml = path.with_suffix(".yml")
    assert yml.exists()
    assert re.search(r"description: \S*One row per ", yml.read_text())
    assert len(path.read_text().splitlines()) <= 120


def test_every_model_has_a_contract_whose_columns_are_described(manifest: dict[str, Any]) -> None:
    for node in models(manifest):
        assert node["config"]["contract"]["enforced"], node["name"]
        assert node["columns"], node["name"]
        for column in node["columns"].values():
            assert column["description"], f"{node['name']}.{column['name']}"
            assert column["data_type"] != "numeric", f"{node['name']}.{column['name']} has no precision"


def test_every_published_model_is_made_with_the_key_that_it_is_published_by(workbench: Workbench) -> None:
    workbench.land("Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\nO1,P1,2024-01-01,1,1\n")
    workbench.build()
    keys = dict(
        workbench.rows(
            """
            select relname::text, array_agg(attname::text order by place)
            from pg_index
            inner join pg_class on pg_class.oid = indrelid
            cross join unnest(indkey) with ordinality as part (number, place)
            inner join pg_attribute on attrelid = indrelid and attnum = number
            where
                relnamespace = 'candidate'::regnamespace and indisprimary
                and relname <> 'build_batches' and relname not like 'int\\_%'
            group by relname
            """
        )
    )
    # The fact is a view of int_line_changes, whose key with the sign is tested.
    assert keys == {
        item.model: list(item.key) for item in workbench.declarations if item.model != "fct_order_lines"
    }
    assert len(keys) == 22


def test_every_table_with_net_revenue_and_its_parts_holds_them_to_each_other(workbench: Workbench) -> None:
    workbench.land("Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price\nO1,P1,2024-01-01,1,1\n")
    workbench.build()
    with_parts, checked = (
        workbench.rows(query)
        for query in (
            """
            select table_name::text from information_schema.columns
            inner join information_schema.tables using (table_schema, table_name)
            where
                table_schema = 'candidate' and table_type = 'BASE TABLE'
                -- What lines go through on their way is checked at its end.
                and (table_name = 'int_line_changes' or table_name not like 'int\\_%')
                and column_name in ('gross_revenue', 'discounts', 'returns', 'net_revenue')
            group by table_name having count(*) = 4 order by table_name
            """,
            """
            select conrelid::regclass::text from pg_constraint
            where connamespace = 'candidate'::regnamespace and conname = 'money_identity'
            order by 1
            """,
        )
    )
    assert [f"candidate.{name}" for (name,) in with_parts] == [name for (name,) in checked]
    assert len(checked) == 6
