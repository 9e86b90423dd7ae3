"""Looking at pages: pictures of them, and what a screen reader or a phone would trip over."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Screen


def picture(page: Page, name: str, screen: Screen) -> None:
    """Keep a picture of the whole page in the folder that TILLHOUSE_SCREENSHOTS names, if it does."""
    folder = os.environ.get("TILLHOUSE_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{screen.name}.png", full_page=True)


def check_accessible(page: Page) -> None:
    """axe-core finds nothing that is serious or critical."""
    found = Axe().run(page).response["violations"]
    wrong = [
        f"{rule['impact']}: {rule['help']} ({rule['id']}) at {[node['target'] for node in rule['nodes']]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert wrong == []


def check_fits(page: Page) -> None:
    """Nothing has to be pushed sideways to be seen."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
