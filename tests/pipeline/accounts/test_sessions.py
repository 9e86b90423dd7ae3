"""Sessions: rotation of refresh tokens, their reuse, and everything that ends them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.accounts.principals import Account, find_account, find_login, set_active, set_password
from pipeline.accounts.sessions import (
    Session,
    begin_session,
    end_session,
    find_caller,
    renew_session,
    session_of,
)
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse
from tests.pipeline.accounts.conftest import PASSWORD, made

Pg = Connection[TupleRow]


def begun(connection: Pg, account: Account) -> tuple[Session, str]:
    session = begin_session(connection, account)
    assert session is not None
    assert session.refresh_token is not None
    return session, session.refresh_token


def holds(connection: Pg, session: Session) -> bool:
    return find_caller(connection, session.session_id, session.account.principal_id) is not None


def test_a_refresh_token_works_once_and_gives_the_next_one(owner: Pg, service: Pg) -> None:
    session, first = begun(service, made(owner))
    second = renew_session(service, first)
    assert second is not None
    assert (second.session_id, second.account.name) == (session.session_id, "anna")
    assert second.refresh_token not in (None, first)
    assert holds(service, session)


def test_a_refresh_token_that_comes_again_ends_the_whole_session(owner: Pg, service: Pg) -> None:
    session, first = begun(service, made(owner))
    other, _ = begun(service, session.account)
    second = renew_session(service, first)
    assert second is not None
    assert renew_session(service, first) is None
    assert not holds(service, session)
    assert second.refresh_token is not None
    assert renew_session(service, second.refresh_token) is None
    assert holds(service, other)


def test_of_two_that_use_a_refresh_token_at_once_one_wins(
    warehouse: Warehouse, owner: Pg, service: Pg
) -> None:
    session, first = begun(service, made(owner))
    barrier = threading.Barrier(8)

    def use(_: int) -> Session | None:
        with connect(warehouse.urls.app) as connection:
            barrier.wait(30)
            return renew_session(connection, first)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(use, range(8)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    # The others were replays, so nobody can tell the thief from the owner.
    assert not holds(service, session)
    assert owner.execute("select count(*), count(used_at) from app.refresh_tokens").fetchone() == (2, 1)


def test_only_the_hash_of_a_token_is_kept(owner: Pg, service: Pg) -> None:
    _, token = begun(service, made(owner))
    kept = owner.execute("select token_hash, t::text from app.refresh_tokens t").fetchone()
    assert kept is not None
    assert len(kept[0]) == 32
    assert token not in kept[1]
    assert renew_session(service, kept[0].hex()) is None
    assert session_of(service, token) is not None


@pytest.mark.parametrize("token", ["", "x", "\0", "é", "\ud800", "x" * 100_000, "' or true --"])
def test_a_token_that_was_never_given_is_not_valid(owner: Pg, service: Pg, token: str) -> None:
    session, _ = begun(service, made(owner))
    assert renew_session(service, token) is None
    assert session_of(service, token) is None
    assert holds(service, session)


def test_an_expired_refresh_token_is_not_valid_and_ends_nothing(owner: Pg, service: Pg) -> None:
    session, token = begun(service, made(owner))
    owner.execute("update app.refresh_tokens set expires_at = now()")
    assert renew_session(service, token) is None
    assert holds(service, session)


def test_it_lives_for_thirty_days_from_its_last_use(owner: Pg, service: Pg) -> None:
    _, token = begun(service, made(owner))
    owner.execute("update app.sessions set ends_at = now() + interval '1 hour'")
    renew_session(service, token)
    days = "select extract(day from ends_at - started_at) from app.sessions"
    assert owner.execute(days).fetchone() == (30,)
    days = "select distinct extract(day from expires_at - issued_at) from app.refresh_tokens"
    assert owner.execute(days).fetchall() == [(30,)]


def test_however_often_it_is_continued_it_ends_ninety_days_after_the_login(owner: Pg, service: Pg) -> None:
    session, token = begun(service, made(owner))
    left = "update app.sessions set started_at = now() - interval '90 days' + %s::interval"
    owner.execute(left, ("1 hour",))
    renewed = renew_session(service, token)
    assert renewed is not None
    assert renewed.refresh_token is not None
    ends = "select ends_at = started_at + interval '90 days' from app.sessions"
    assert owner.execute(ends).fetchone() == (True,)
    expires = (
        "select max(expires_at) = max(ends_at) from app.refresh_tokens, app.sessions where used_at is null"
    )
    assert owner.execute(expires).fetchone() == (True,)
    assert holds(service, session)
    owner.execute("update app.sessions set ends_at = now()")
    owner.execute("update app.refresh_tokens set expires_at = now()")
    assert not holds(service, session)
    assert renew_session(service, renewed.refresh_token) is None


def test_a_client_has_its_secret_and_gets_no_refresh_token(owner: Pg, service: Pg) -> None:
    session = begin_session(service, made(owner, "till", kind="client"))
    assert session is not None
    assert session.refresh_token is None
    assert holds(service, session)


@pytest.mark.parametrize(
    "end",
    [
        lambda owner: set_active(owner, "anna", is_active=False),
        lambda owner: set_password(owner, "anna", PASSWORD + " more"),
    ],
)
def test_disabling_and_another_password_end_every_session(
    owner: Pg, service: Pg, end: Callable[[Pg], None]
) -> None:
    session, token = begun(service, made(owner))
    other, _ = begun(service, made(owner, "bert"))
    end(owner)
    assert not holds(service, session)
    assert renew_session(service, token) is None
    assert holds(service, other)
    set_active(owner, "anna", is_active=True)
    assert not holds(service, session)
    assert renew_session(service, token) is None


def test_a_session_that_was_ended_stays_so(owner: Pg, service: Pg) -> None:
    session, token = begun(service, made(owner))
    end_session(service, session.session_id)
    assert not holds(service, session)
    assert renew_session(service, token) is None


def test_a_session_belongs_to_its_account(owner: Pg, service: Pg) -> None:
    session, _ = begun(service, made(owner))
    other = made(owner, "bert", "admin")
    assert find_caller(service, session.session_id, other.principal_id) is None


def test_a_login_by_the_old_password_does_not_outlive_its_change(owner: Pg, service: Pg) -> None:
    made(owner)
    found = find_login(service, "user", "anna")
    assert found is not None
    set_password(owner, "anna", PASSWORD + " more")
    assert begin_session(service, found[0], secret_hash=found[1]) is None
    assert owner.execute("select count(*) from app.sessions").fetchone() == (0,)


def test_a_login_while_the_password_is_being_changed_ends_with_it(
    warehouse: Warehouse, owner: Pg, service: Pg
) -> None:
    account = made(owner)
    found = find_login(service, "user", "anna")
    assert found is not None
    with connect(warehouse.urls.owner) as changing, ThreadPoolExecutor(1) as pool:
        set_password(changing, "anna", PASSWORD + " more")
        login = pool.submit(begin_session, service, account, None, found[1])
        waiting = "select count(*) from pg_locks where not granted"
        while owner.execute(waiting).fetchone() == (0,):
            assert not login.done()
        changing.commit()
        assert login.result(30) is None


def test_a_role_that_shrinks_takes_its_scopes_from_the_session(owner: Pg, service: Pg) -> None:
    made(owner, role="editor")
    account = find_account(owner, "anna")
    session = begin_session(service, account, frozenset(("analytics:read", "data:write")))
    assert session is not None
    assert session.granted == {"analytics:read", "data:write"}
    owner.execute("update app.principals set role = 'viewer'")
    assert session.refresh_token is not None
    renewed = renew_session(service, session.refresh_token)
    assert renewed is not None
    assert renewed.granted == {"analytics:read"}


def test_sessions_that_ended_long_ago_are_removed_by_the_next_login(owner: Pg, service: Pg) -> None:
    account = made(owner)
    begun(service, account)
    owner.execute("update app.sessions set ends_at = now() - interval '25 hours'")
    session, _ = begun(service, account)
    assert owner.execute("select session_id from app.sessions").fetchall() == [(session.session_id,)]
    assert owner.execute("select count(*) from app.refresh_tokens").fetchone() == (1,)
