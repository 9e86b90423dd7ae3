"""The data page in a real browser: upload, see what is wrong, load, refresh, and watch the figures change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Screen, Site
from tests.browser.looking import check_accessible, check_fits, picture
from tests.browser.test_dashboard import open_all, section
from tests.e2e.test_stack import follow

pytestmark = pytest.mark.timeout(600)

MORE = """\
Order ID,Product ID,Product Name,Category,Region,Date of Sale,Quantity Sold,Unit Price
2001,P123,UltraBoost Running Shoes,Shoes,Asia,2024-05-19,1,100.00
2002,P123,UltraBoost Running Shoes,Shoes,Asia,soon,1,100.00
"""


@pytest.fixture
def more(tmp_path: Path, site: Site) -> Iterator[Path]:
    """A file with a good row and a bad one; what was loaded of it is taken back afterwards."""
    path = tmp_path / "more.csv"
    path.write_text(MORE, encoding="utf-8")
    yield path
    batches = site.stack.api.get("/api/v1/batches", params={"status": "landed"}).json()["data"]
    for batch in batches:
        if batch["file_name"] == "more.csv":
            undone = site.stack.api.post(f"/api/v1/batches/{batch['batch_id']}/void")
            assert follow(site.stack, undone.headers["Location"])["status"] == "succeeded"


def test_the_data_page_shows_what_came_in_on_every_screen(seen: Page, screen: Screen, site: Site) -> None:
    seen.goto(f"{site.url}/data")
    deliveries = section(seen, "Deliveries")
    expect(deliveries.get_by_role("row", name="sales_sample.csv")).to_contain_text("landed")
    expect(section(seen, "Builds").get_by_role("row").nth(1)).to_contain_text("published")
    check_accessible(seen)
    check_fits(seen)
    picture(seen, "data", screen)


def test_a_file_is_checked_shown_and_loaded_and_the_figures_change(
    page: Page, site: Site, more: Path
) -> None:
    page.goto(f"{site.url}/data")
    page.get_by_role("link", name="Upload files").click()
    check_accessible(page)
    page.get_by_label("Files").set_input_files(more)
    page.get_by_label("Shop or till they come from").fill("market")
    page.get_by_role("button", name="Check").click()
    wrong = page.get_by_role("row", name="more.csv, line 3")
    expect(wrong).to_contain_text("sale date invalid", timeout=120_000)
    expect(wrong).to_contain_text("2002,P123")
    check_accessible(page)
    page.get_by_role("button", name="Load these files").click()
    expect(page.get_by_role("heading", name="Upload: succeeded")).to_be_visible(timeout=120_000)
    expect(section(page, "Quarantine")).to_contain_text("sale date invalid")
    open_all(page, site.url)
    # 4712.5675 + 100.
    expect(section(page, "At a glance").get_by_text("$4,812.57").first).to_be_visible()


def test_a_refresh_is_started_and_followed_to_its_end(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/data")
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", name="Refresh: succeeded")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("list", name="Stages").get_by_role("listitem").first).to_contain_text("done")
    page.get_by_role("link", name="The run in the Dagster UI").click()
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=60_000)
