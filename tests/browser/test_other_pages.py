"""The pages that come with Tillhouse's parts: Dagster's, the API's documentation, the lineage."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen, Site
from tests.browser.looking import picture
from tests.e2e.test_stack import follow, wait_until

pytestmark = pytest.mark.timeout(600)


def test_dagster_shows_the_run_of_a_refresh_and_its_log(page: Page, site: Site) -> None:
    asked = site.stack.api.post("/refresh")
    refresh = follow(site.stack, asked.headers["Location"])
    assert refresh["status"] == "succeeded"
    page.goto(f"{site.dagster_url}/runs/{refresh['dagster_run_id']}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_text("refresh", exact=True).first).to_be_visible()
    expect(page.get_by_text("RUN_SUCCESS").first).to_be_visible()


def test_dagster_shows_when_the_next_refreshes_are_due(page: Page, site: Site) -> None:
    page.goto(f"{site.dagster_url}/automation")
    for name in ("daily_refresh", "weekly_full_build", "daily_cleanup"):
        expect(page.get_by_text(name, exact=True)).to_be_visible()


def test_the_documentation_shows_every_group_of_routes(page: Page, site: Site, screen: Screen) -> None:
    page.goto(f"{site.url}/docs")
    expect(page.get_by_role("heading", name=re.compile("^Tillhouse"))).to_be_visible()
    expect(page.get_by_text("/api/v1/revenue/total")).to_be_visible()
    picture(page, "docs", screen)


def test_the_lineage_shows_how_a_mart_comes_to_be(page: Page, site: Site) -> None:
    wait_until(lambda: site.stack.api.get("/lineage").status_code == 200)
    page.goto(f"{site.url}/lineage#!/model/model.tillhouse.revenue_daily")
    expect(page.get_by_role("heading", name="revenue_daily")).to_be_visible()
