"""Signing in with a real browser: by mouse and keyboard, on every screen, against other sites' pages."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.api.accounts import PASSWORD
from tests.api.logins import ME
from tests.browser.conftest import Screen, Site
from tests.browser.looking import check_accessible, check_fits, picture

pytestmark = pytest.mark.timeout(600)
WRONG = "The name or the password is wrong."


@pytest.fixture(scope="module")
def anna(site: Site) -> Site:
    """The site, where anna may sign in."""
    site.add_user("anna", "analyst")
    return site


def sign_in(page: Page, site: Site, to: str = ME) -> None:
    page.goto(f"{site.accounts_url}/sign-in?next={to}")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def is_signed_in(page: Page, site: Site) -> bool:
    response = page.goto(f"{site.accounts_url}{ME}")
    assert response is not None
    return response.status == 200


def test_who_signs_in_is_led_on_and_reads_the_numbers(page: Page, anna: Site) -> None:
    assert not is_signed_in(page, anna)
    sign_in(page, anna, "/api/v1/revenue/total")
    page.wait_for_url(f"{anna.accounts_url}/api/v1/revenue/total")
    assert '"net_revenue":"4712.5675"' in page.content()
    # No script of any page can read what the browser is known by.
    assert page.evaluate("document.cookie") == ""
    [cookie] = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("tillhouse_session", True, "Lax")


def test_by_the_keyboard_alone(page: Page, anna: Site) -> None:
    page.goto(f"{anna.accounts_url}/sign-in?next={ME}")
    # The page begins in the first field.
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("alert")).to_have_text(WRONG)
    # And goes on where something is missing.
    expect(page.get_by_label("Name")).to_have_value("anna")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{anna.accounts_url}{ME}")
    assert '"name":"anna"' in page.content()


def test_the_form_can_be_used_on_every_screen(seen: Page, screen: Screen, anna: Site) -> None:
    seen.goto(f"{anna.accounts_url}/sign-in")
    check_accessible(seen)
    check_fits(seen)
    picture(seen, "sign-in", screen)
    seen.get_by_label("Name").fill("anna")
    seen.get_by_label("Password").fill("not the password")
    seen.get_by_role("button", name="Sign in").click()
    alert = seen.get_by_role("alert")
    expect(alert).to_have_text(WRONG)
    expect(seen).to_have_title("Error: Sign in · Tillhouse")
    # Which is read out with the field that has the focus.
    expect(seen.get_by_label("Password")).to_have_accessible_description(WRONG)
    check_accessible(seen)
    check_fits(seen)
    picture(seen, "sign-in-wrong", screen)


@contextmanager
def page_of_another_site(html: str, host: str) -> Iterator[str]:
    """A page on another port of this machine, by one of its names."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}/"
        server.shutdown()


# To a browser the first is the same site on another port, which is sent the cookie; the second another site.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_form_on_another_sites_page_signs_nobody_out(
    open_browser: Callable[..., Page], anna: Site, host: str
) -> None:
    page = open_browser()
    sign_in(page, anna)
    page.wait_for_url(f"{anna.accounts_url}{ME}")
    form = f'<form method="post" action="{anna.accounts_url}/sign-out"><button>Win</button></form>'
    with page_of_another_site(form, host) as address:
        page.goto(address)
        with page.expect_response(f"{anna.accounts_url}/sign-out") as answered:
            page.get_by_role("button").click()
        assert answered.value.status == 403
    expect(page.get_by_role("alert")).to_contain_text("may not")
    assert is_signed_in(page, anna)


def test_the_services_own_form_signs_out(page: Page, anna: Site) -> None:
    sign_in(page, anna)
    page.wait_for_url(f"{anna.accounts_url}{ME}")
    page.goto(f"{anna.accounts_url}/sign-in")
    with page.expect_navigation(), page.expect_response(f"{anna.accounts_url}/sign-out") as answered:
        page.evaluate("document.forms[0].action = '/sign-out'; document.forms[0].submit()")
    assert answered.value.status == 303
    assert page.url == f"{anna.accounts_url}/sign-in"
    assert page.context.cookies() == []
    assert not is_signed_in(page, anna)
