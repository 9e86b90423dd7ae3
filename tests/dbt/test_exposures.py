"""The exposures: what the routes of the API and the pages read, as the lineage shows it."""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pytest
from apiflask import APIFlask

from api.app import close, create_app
from pipeline.answers.explaining import explanation, recorded
from pipeline.builds.dbt_runner import load_manifest
from pipeline.settings import Settings
from tests.pipeline.builds.conftest import Workbench

# Jobs and accounts are rows of the schema `app`; definitions and problems are in the code.
OF_NO_TABLE = ("auth/", "definitions", "exports", "imports", "refreshes")
LINES = """Order ID,Product ID,Date of Sale,Quantity Sold,Unit Price,Customer ID,Category,Region,campaign
O1,P1,2024-01-05,1,10,C1,Shoes,Asia,Spring
O2,P1,2024-02-10,2,10,C1,Shoes,Europe,Spring
O3,P2,2024-03-15,1,20,C2,Books,Asia,
"""

# All data; a range that cuts months; a whole month.
RANGES = ("", "start_date=2024-01-10&end_date=2024-03-14", "start_date=2024-02-01&end_date=2024-02-29")
FILTERS = (
    "", "region=Asia", "region=Asia&region=Europe", "source=default", "category=Shoes", "payment_method=Card",
    "product_id=P1", "product_id=P1&category=Shoes", "customer_id=C1",
)  # fmt: skip
EXTRA = ("extra.campaign=Spring",)
GRAINS = ("", "grain=day", "grain=month")
GROUPS = tuple(
    f"group_by={name}"
    for name in ("product", "category", "region", "payment_method", "customer", "source", "product,category")
)
BUCKETED = (RANGES, GRAINS, (*FILTERS, *EXTRA))
GROUPED = (RANGES, GRAINS, (*FILTERS, *EXTRA, *GROUPS))
# The parameters by which an answer may come from other tables.
ASKED: dict[str, Sequence[Sequence[str]]] = {
    "/api/v1/revenue": GROUPED,
    "/api/v1/revenue/total": (RANGES, (*FILTERS, *EXTRA)),
    "/api/v1/revenue/by-product": BUCKETED,
    "/api/v1/revenue/by-category": BUCKETED,
    "/api/v1/revenue/by-region": BUCKETED,
    "/api/v1/revenue/trend": GROUPED,
    "/api/v1/revenue/anomalies": (RANGES,),
    "/api/v1/products/top": (RANGES, FILTERS, ("", "within=category", "within=region")),
    "/api/v1/products/margins": (RANGES, FILTERS),
    "/api/v1/products": (("", "search=P"),),
    "/api/v1/customers/summary": (RANGES, FILTERS, ("", "group_by=region")),
    "/api/v1/customers/lifetime-value": (RANGES, ("", "by=cohort")),
    "/api/v1/customers/segments": (RANGES, ("", "members=true")),
    "/api/v1/customers/cohorts": (RANGES,),
    "/api/v1/customers": (("", "search=C"),),
    "/api/v1/orders": (RANGES, (*FILTERS, *EXTRA)),
    "/api/v1/orders/{order_id}": (("", "source=default"),),
    "/api/v1/batches": (("", "source=default"),),
    "/api/v1/batches/{batch_id}/rejects": (("",),),
    "/api/v1/builds": (("",),),
    "/api/v1/builds/{build_id}": (("",),),
    "/api/v1/builds/{build_id}/changes": (RANGES,),
    "/api/v1/findings": (RANGES,),
    "/metrics": (("",),),
}
NAMED = {"{order_id}": "O1", "{batch_id}": "1", "{build_id}": "1"}
# Lists and pages, which say nothing of themselves.
UNEXPLAINED = {
    "/api/v1/batches", "/api/v1/batches/{batch_id}/rejects", "/api/v1/builds", "/api/v1/builds/{build_id}",
    "/api/v1/findings", "/metrics",
}  # fmt: skip


@pytest.fixture(scope="module")
def manifest(dbt_settings: Settings) -> dict[str, Any]:
    return load_manifest(dbt_settings)


@pytest.fixture
def app(workbench: Workbench) -> Iterator[APIFlask]:
    """An API over some lines of a source that declares a column."""
    workbench.land(LINES)
    workbench.build()
    workbench.connection.execute('update raw.batches set options = options || \'{"extra": ["campaign"]}\'')
    settings = workbench.warehouse.settings.model_copy(update={"rate_limit": "1000000/minute"})
    app = create_app(settings, workbench.warehouse.urls)
    yield app
    close(app)


def exposures(manifest: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item for item in manifest["exposures"].values() if item["type"] == kind]


def route_of(exposure: dict[str, Any]) -> str:
    assert exposure["label"].startswith("GET ")
    return str(exposure["label"]).removeprefix("GET ")


def tables_of(manifest: dict[str, Any], exposure: dict[str, Any]) -> set[str]:
    """The tables of what an exposure depends on, as readers know them."""
    tables = set()
    for parent in exposure["depends_on"]["nodes"]:
        if parent.startswith("source."):
            source = manifest["sources"][parent]
            tables.add(f"{source['schema']}.{source['name']}")
        else:
            tables.add(manifest["nodes"][parent]["config"]["meta"]["publish"]["to"])
    return tables


def tables_read(app: APIFlask, route: str) -> set[str]:
    """The tables that a route reads over all that it can be asked, by its own word and by its statements."""
    tables: set[str] = set()
    path = route
    for name, value in NAMED.items():
        path = path.replace(name, value)
    for parameters in product(*ASKED[route]):
        explained = () if route in UNEXPLAINED else ("explain=true",)
        with recorded() as statements:
            answer = app.test_client().get(f"{path}?{'&'.join(filter(None, (*parameters, *explained)))}")
        assert answer.status_code == 200, answer.text
        tables |= set(explanation(statements, [], None)["tables"])
        if explained:
            assert answer.json is not None
            tables |= set(answer.json["meta"]["explain"]["tables"])
    return tables


def test_every_route_with_data_is_an_exposure(app: APIFlask, manifest: dict[str, Any]) -> None:
    pages = tuple(item["url"] for item in exposures(manifest, "analysis"))
    routes = {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.methods
        and "GET" in rule.methods
        and (rule.rule.startswith("/api/v1/") or rule.rule == "/metrics")
    }
    elsewhere = tuple(f"/api/v1/{name}" for name in OF_NO_TABLE) + pages
    found = [route_of(item) for item in exposures(manifest, "application")]
    assert sorted(found) == sorted(route for route in routes if not route.startswith(elsewhere))


def test_every_exposure_leads_to_its_route_in_the_documentation(
    app: APIFlask, manifest: dict[str, Any]
) -> None:
    spec: Any = app.spec
    for exposure in exposures(manifest, "application"):
        operation = spec["paths"][route_of(exposure)]["get"]
        assert exposure["url"] == f"/docs#/{operation['tags'][0]}/{operation['operationId']}"


def test_an_exposure_depends_on_what_its_route_reads(
    app: APIFlask, workbench: Workbench, manifest: dict[str, Any]
) -> None:
    known = {
        name
        for (name,) in workbench.rows(
            "select format('%s.%s', table_schema, table_name) from information_schema.tables"
            " where table_schema in ('core', 'marts')"
        )
    }
    declared, read = {}, {}
    for exposure in exposures(manifest, "application") + exposures(manifest, "analysis"):
        route = route_of(exposure)
        declared[route] = sorted(tables_of(manifest, exposure))
        read[route] = sorted(tables_read(app, route) & known)
    assert declared == read


def test_pages_are_exposures_and_read_nothing_that_no_route_reads(manifest: dict[str, Any]) -> None:
    pages = exposures(manifest, "dashboard") + exposures(manifest, "analysis")
    assert [page["url"] for page in pages] == ["/", "/api/v1/findings"]
    routes = [tables_of(manifest, exposure) for exposure in exposures(manifest, "application")]
    for page in pages:
        assert tables_of(manifest, page)
        assert tables_of(manifest, page) <= set().union(*routes)


def test_every_exposure_is_described(manifest: dict[str, Any]) -> None:
    assert [item["name"] for item in manifest["exposures"].values() if not item["description"]] == []


def test_a_build_runs_the_models_and_their_tests_and_nothing_else(
    workbench: Workbench, manifest: dict[str, Any]
) -> None:
    workbench.land(LINES)
    workbench.start()
    expected = {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "test")
    }
    assert {result.unique_id for result in workbench.run_dbt()} == expected
