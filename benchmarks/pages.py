"""The overview in a browser: from asking for it until it is filled, from a choice until it is drawn."""

import shutil
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.figures import Figure
from benchmarks.serving import running
from benchmarks.shop import open_shop
from benchmarks.turns import ROUNDS
from pipeline.sample import write_sample
from pipeline.warehouse.embedded import EmbeddedServer

FILLED_SECONDS, DRAWN_SECONDS = 1.5, 0.3
# Each round asks for other months, so that no answer is kept.
_SEARCH = "?start_date=2023-{month:02}-01&end_date=2024-{month:02}-28"
# Dash marks what is being drawn.
_IS_STILL = "!document.querySelector('[data-dash-is-loading]')"
_IS_FILLED = f"() => document.querySelectorAll('.cards section.card').length >= 11 && {_IS_STILL}"
_IS_DRAWN = f"before => document.querySelector('#headline .value').textContent !== before && {_IS_STILL}"


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Both, over the sample's three years; a first visit, which fetches the scripts, and later ones."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "the pages are measured with Debian's chromium: apt-get install chromium"
    csv = folder / "sales.csv"
    write_sample(csv, rows=rows, seed=1)
    with open_shop(server) as shop:
        shop.refresh(csv)
        with running("api", shop.warehouse.environment) as api, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
            first, later, drawn = _rounds(browser, f"http://127.0.0.1:{api.port}/")
            browser.close()
    return [
        Figure(what, f"{aim:g} s", rows, median(seconds), aim, median(seconds) / aim, "s", 1.0, "at most")
        for what, seconds, aim in (
            ("the overview, until it is filled", later, FILLED_SECONDS),
            ("the same in a browser that was never there", first, FILLED_SECONDS),
            ("a chosen region, until every section shows it", drawn, DRAWN_SECONDS),
        )
    ]


def _rounds(browser: Browser, url: str) -> tuple[list[float], list[float], list[float]]:
    first, later, drawn = [], [], []
    for month in range(1, ROUNDS + 1):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        first.append(_filled(page, url + _SEARCH.format(month=2 * month - 1)))
        later.append(_filled(page, url + _SEARCH.format(month=2 * month)))
        drawn.append(_drawn(page))
        page.context.close()
    return first, later, drawn


def _filled(page: Page, address: str) -> float:
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(_IS_FILLED)
    return time.perf_counter() - started


def _drawn(page: Page) -> float:
    before = page.locator("#headline .value").first.text_content()
    page.get_by_label("Region", exact=True).first.click()
    option = page.get_by_role("option").first
    option.wait_for()
    started = time.perf_counter()
    option.click()
    page.wait_for_function(_IS_DRAWN, arg=before)
    return time.perf_counter() - started
