"""A browser, and a running Tillhouse for it: with the six lines of the sample, without and with accounts.

No page may fetch anything from another machine, raise an error, or break its own content security
policy: a test that opened such a page fails when it ends.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from pipeline.accounts.principals import add_account
from pipeline.accounts.roles import Role
from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls
from tests.api.accounts import PASSWORD
from tests.api.test_serving import wait_until_up
from tests.conftest import find_tool
from tests.e2e.conftest import Stack, free_port, running_stack
from tests.pipeline.landing.files import SAMPLE

# No name but this machine's is ever looked up.
_ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
_HERE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Screen:
    """How a page is looked at; sizes in CSS pixels."""

    name: str
    width: int
    height: int
    scheme: str

    @property
    def is_phone(self) -> bool:
        """Whether it is a narrow one, and touched."""
        return self.width < 600


SCREENS = tuple(
    Screen(f"{device}-{scheme}", width, height, scheme)
    for device, width, height in (("desktop", 1440, 900), ("phone", 390, 844))
    for scheme in ("light", "dark")
)


@dataclass(frozen=True)
class Site:
    """A running Tillhouse; its accounts have ``PASSWORD``.

    Attributes:
        stack: what `tillhouse up` has started.
        url: its API, which asks for no login.
        accounts_url: an API over the same warehouse, where accounts are on.
    """

    stack: Stack
    url: str
    accounts_url: str

    @property
    def dagster_url(self) -> str:
        """The pages of Dagster."""
        return str(self.stack.services["dagster_url"])

    def add_user(self, name: str, role: Role, *regions: str) -> None:
        """Make an account, as `tillhouse user add` does."""
        with connect(database_urls(Settings(home=self.stack.home)).owner) as connection:
            add_account(connection, name, "user", role, regions, PASSWORD)


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """A Tillhouse with the six lines of the sample."""
    find_tool("chromium")
    with tempfile.TemporaryDirectory(prefix="tillhouse-browser-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running_stack(home) as stack:
            loaded = stack.run("load", str(SAMPLE))
            assert loaded.returncode == 0, loaded.stdout + loaded.stderr
            with _api_with_accounts(stack) as accounts_url:
                yield Site(stack, stack.services["api_url"], accounts_url)


@contextmanager
def _api_with_accounts(stack: Stack) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {
        "TILLHOUSE_HOME": str(stack.home),
        "TILLHOUSE_ACCOUNTS": "true",
        "TILLHOUSE_API_PORT": port,
        "TILLHOUSE_DAGSTER_URL": stack.services["dagster_url"],
    }
    with (stack.home / "accounts-api.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "api"], env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(process, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    # Only as long as its module: its event loop keeps this thread from having another.
    path = find_tool("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[_ONLY_HERE, "--disable-gpu"])
        yield browser
        browser.close()


class Watcher:
    """Notes what pages do that they must not."""

    def __init__(self) -> None:
        self.outside: list[str] = []
        self.errors: list[str] = []

    def watch(self, context: BrowserContext, ignored: tuple[str, ...]) -> None:
        """Watch every page of a context; errors of pages whose address begins so are not ours."""
        context.on("request", lambda request: self._note_request(request.url))
        context.on("console", lambda message: self._note_message(message, ignored))
        context.on("weberror", lambda error: self._note_error(str(error.error), error.page, ignored))

    def _note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in _HERE:
            self.outside.append(url)

    def _note_message(self, message: ConsoleMessage, ignored: tuple[str, ...]) -> None:
        # What is refused with a status is shown by the page, and part of what tests are about.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._note_error(message.text, message.page, ignored)

    def _note_error(self, text: str, page: Page | None, ignored: tuple[str, ...]) -> None:
        url = page.url if page else ""
        if not url.startswith(ignored):
            self.errors.append(f"{url}: {text}")


@pytest.fixture
def open_browser(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a browser without any cookie, looked at as a screen; gives its empty page."""
    watcher, contexts = Watcher(), []
    # dbt's page asks for images by names that it has not filled in yet, which its policy keeps it from.
    of_others = (site.dagster_url, f"{site.url}/lineage", f"{site.accounts_url}/lineage")

    def new_page(screen: Screen = SCREENS[0]) -> Page:
        context = chromium.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme="dark" if screen.scheme == "dark" else "light",
            has_touch=screen.is_phone,
            locale="en-US",
            reduced_motion="reduce",
        )
        contexts.append(context)
        watcher.watch(context, of_others)
        return context.new_page()

    yield new_page
    for context in contexts:
        context.close()
    assert watcher.outside == []
    assert watcher.errors == []


@pytest.fixture
def page(open_browser: Callable[..., Page]) -> Page:
    """An empty page on a wide screen, in light colours."""
    return open_browser()


@pytest.fixture(params=SCREENS, ids=lambda screen: screen.name)
def screen(request: pytest.FixtureRequest) -> Screen:
    """Every screen, one test each."""
    found: Screen = request.param
    return found


@pytest.fixture
def seen(open_browser: Callable[..., Page], screen: Screen) -> Page:
    """An empty page, once on every screen."""
    return open_browser(screen)
