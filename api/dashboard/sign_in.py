"""Signing in and out in a browser, with the accounts of the API."""

from typing import Annotated

from apiflask import APIBlueprint
from flask import Response, g, request
from pydantic import AfterValidator, Field
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from api import audit, browser_sessions, logins
from api.access import SIGN_IN, named, public_page, signed_in, signing_key
from api.dashboard.plain_pages import plain_page, problem_page
from api.listening import accounts_required
from api.parameters import Parameters
from api.problems import Problem, shown_by
from api.responses import see_other
from api.services import services
from pipeline.accounts.sessions import Session, begin_session, end_session
from pipeline.accounts.tokens import SIGN_IN_LIFETIME, SessionToken

# Pages are for people: the OpenAPI document has none of them.
blueprint = APIBlueprint("sign_in", __name__, template_folder="templates", enable_openapi=False)

START = "/"
_LONGEST_PATH = 4000


def local_path(text: str) -> str:
    """An address that is a path of this site, however a browser reads it.

    Raises:
        ValueError: it may lead to another site.
    """
    # Browsers take "//name" for another site, "\\" for "/", and leave tabs and line ends out.
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    if not is_path or len(text) > _LONGEST_PATH:
        raise ValueError("must be a path of this site, such as /data")
    return text


Next = Annotated[str, AfterValidator(local_path)]


class Asked(Parameters):
    """Where to go once signed in."""

    next: Next = START


class Form(Asked):
    """A sign-in."""

    username: str = ""
    password: str = Field("", repr=False)


def _form(problem: Problem | None = None) -> Response:
    """The form to sign in with, filled as far as it was; with what is wrong."""
    given = _given()
    try:
        wanted = local_path(given.get("next", START))
    except ValueError:
        wanted = START
    error = problem.detail if problem else None
    return plain_page("sign_in.html", error=error, next=wanted, username=given.get("username", ""))


@blueprint.get(SIGN_IN)
@blueprint.input(Asked, location="query")
@shown_by(_form)
@public_page
def get_sign_in(query_data: Asked) -> Response:
    """A form to sign in with."""
    if not accounts_required(services().settings):
        return see_other(query_data.next)
    return _form()


@blueprint.post(SIGN_IN)
@blueprint.input(Form, location="form")
@shown_by(_form)
@public_page
def post_sign_in(form_data: Form) -> Response:
    """Sign in: a new session, whatever the browser had before, and its cookie."""
    if not accounts_required(services().settings):
        raise Problem("accounts_off", "This service asks for no login; TILLHOUSE_ACCOUNTS=true turns it on.")
    session = _begun(form_data.username.strip(), form_data.password)
    g.principal = named(session.account, session.granted)
    response = see_other(form_data.next)
    token = SessionToken(session.account.principal_id, session.session_id)
    browser_sessions.give(response, signing_key(), token)
    return response


@blueprint.post("/sign-out")
@shown_by(problem_page)
@public_page
def post_sign_out() -> Response:
    """Sign out: the session ends, and the browser forgets its cookie."""
    found = signed_in()
    if found is not None:
        account, session_id = found
        g.principal = named(account, account.scopes)
        audit.about(f"session {session_id}")
        with services().database.writing() as connection:
            end_session(connection, session_id)
    response = see_other(SIGN_IN)
    browser_sessions.take_back(response)
    return response


def _begun(name: str, password: str) -> Session:
    """A session of a user that ends by itself; the one that the browser had ends now.

    Raises:
        Problem: the name or the password is wrong.
    """
    before, found = signed_in(), logins.checked("user", name, password)
    if found is not None:
        account, secret_hash = found
        with services().database.writing() as connection:
            session = begin_session(connection, account, None, secret_hash, SIGN_IN_LIFETIME)
            if session is not None:
                if before is not None:
                    end_session(connection, before[1])
                return session
    raise Problem("invalid_grant", "The name or the password is wrong.")


def _given() -> MultiDict[str, str]:
    if request.method != "POST":
        return request.args
    try:
        return request.form
    except HTTPException:
        # Too large to be read, which is what is told.
        return MultiDict()
