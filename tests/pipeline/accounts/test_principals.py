"""Users and clients: who can be made, found and changed, and what the service may not do to them."""

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.accounts.errors import AccountError
from pipeline.accounts.passwords import LONGEST, hash_password, is_right
from pipeline.accounts.principals import (
    add_account,
    find_account,
    find_login,
    list_accounts,
    set_active,
    set_password,
    set_regions,
    set_role,
)
from pipeline.accounts.roles import ROLES
from tests.pipeline.accounts.conftest import PASSWORD, made

Pg = Connection[TupleRow]


def test_an_account_is_found_with_what_it_was_made_with(owner: Pg) -> None:
    account = made(owner, "anna", regions=("Europe", "Asia"))
    assert (account.kind, account.name, account.role, account.regions, account.is_active) == (
        "user",
        "anna",
        "viewer",
        ["Europe", "Asia"],
        True,
    )
    assert account.scopes == {"analytics:read"}
    assert [each.name for each in list_accounts(owner)] == ["anna"]


def test_the_roles_are_bundles_of_scopes() -> None:
    assert {role: sorted(scopes) for role, scopes in ROLES.items()} == {
        "viewer": ["analytics:read"],
        "analyst": ["analytics:read", "refresh:run"],
        "editor": ["analytics:read", "data:write", "refresh:run"],
        "admin": ["admin", "analytics:read", "data:write", "refresh:run"],
    }


@pytest.mark.parametrize("name", ["", "Anna", "a b", "-a", "a" * 65, "ä", "a\n", "a\0", "local", "anonymous"])
def test_a_name_that_cannot_be_used_is_refused(owner: Pg, name: str) -> None:
    with pytest.raises(AccountError, match="cannot be an account's name"):
        add_account(owner, name, "user", "viewer", (), PASSWORD)
    assert list_accounts(owner) == []


def test_a_name_is_given_once_to_users_and_clients_together(owner: Pg) -> None:
    made(owner, "anna")
    with pytest.raises(AccountError, match="there is an account anna already"):
        add_account(owner, "anna", "client", "admin", ())
    assert find_account(owner, "anna").role == "viewer"


@pytest.mark.parametrize(
    "password",
    ["", "elevenchars", "x" * (LONGEST + 1), "anna's password", "ANNA's password", "aaaaaaaaaaaaab"],
)
def test_a_password_that_is_easily_guessed_is_refused(owner: Pg, password: str) -> None:
    with pytest.raises(AccountError, match="password"):
        add_account(owner, "anna", "user", "viewer", (), password)
    assert list_accounts(owner) == []


def test_a_client_gets_a_secret_and_cannot_choose_it(owner: Pg) -> None:
    with pytest.raises(AccountError, match="its secret is made, not chosen"):
        add_account(owner, "till", "client", "editor", (), PASSWORD)
    secret = add_account(owner, "till", "client", "editor", ())
    assert len(secret) == 43
    found = find_login(owner, "client", "till")
    assert found is not None
    assert is_right(found[1], secret)


def test_passwords_are_kept_as_argon2id_hashes_with_salts(owner: Pg) -> None:
    made(owner, "anna")
    made(owner, "bert")
    hashes = [row[0] for row in owner.execute("select secret_hash from app.principals").fetchall()]
    assert len(set(hashes)) == 2
    assert all(each.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for each in hashes)


def test_a_password_is_the_same_however_its_letters_are_composed() -> None:
    kept = hash_password("caf\u00e9 au lait \ufb01n")
    assert is_right(kept, "cafe\u0301 au lait fin")
    assert not is_right(kept, "cafe au lait fin")
    assert not is_right(None, "caf\u00e9 au lait fin")
    assert not is_right("no hash", "caf\u00e9 au lait fin")
    assert not is_right(kept, "x" * (LONGEST + 1))


@pytest.mark.parametrize("role", ["analyst", "editor", "admin"])
def test_only_those_who_read_alone_can_be_limited_to_regions(owner: Pg, role: str) -> None:
    with pytest.raises(AccountError, match="Only the role viewer can be limited"):
        made(owner, "anna", role, ("Europe",))  # type: ignore[arg-type]
    assert list_accounts(owner) == []
    made(owner, "anna", "viewer", ("Europe",))
    with pytest.raises(AccountError, match=r"cannot be .* and limited to regions"):
        set_role(owner, "anna", role)  # type: ignore[arg-type]
    assert find_account(owner, "anna").role == "viewer"
    made(owner, "bert", role)  # type: ignore[arg-type]
    with pytest.raises(AccountError, match=r"cannot be .* and limited to regions"):
        set_regions(owner, "bert", ("Europe",))
    assert find_account(owner, "bert").regions is None
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("update app.principals set regions = '{Europe}' where name = 'bert'")


def test_an_empty_region_is_refused(owner: Pg) -> None:
    made(owner, "anna")
    for region in ("", " ", "a\0"):
        with pytest.raises(AccountError, match="a region is a name"):
            set_regions(owner, "anna", ("Europe", region))
    assert find_account(owner, "anna").regions is None


def test_role_and_regions_are_changed(owner: Pg) -> None:
    made(owner, "anna", regions=("Europe",))
    set_regions(owner, "anna", ())
    set_role(owner, "anna", "admin")
    account = find_account(owner, "anna")
    assert (account.regions, account.role) == (None, "admin")


@pytest.mark.parametrize("change", [set_role, set_regions, set_password])
def test_an_unknown_account_is_named(owner: Pg, change: object) -> None:
    with pytest.raises(AccountError, match="there is no account nobody: see `tillhouse user list`"):
        change(owner, "nobody", "viewer")  # type: ignore[operator]


def test_a_login_finds_active_accounts_of_its_kind_alone(owner: Pg) -> None:
    made(owner, "anna")
    made(owner, "till", kind="client")
    assert find_login(owner, "user", "Anna") is not None
    assert find_login(owner, "client", "anna") is None
    assert find_login(owner, "user", "till") is None
    assert find_login(owner, "user", "an\0na") is None
    set_active(owner, "anna", is_active=False)
    assert find_login(owner, "user", "anna") is None
    set_active(owner, "anna", is_active=True)
    assert find_login(owner, "user", "anna") is not None


@pytest.mark.parametrize(
    "statement",
    [
        "insert into app.principals (kind, name, secret_hash, role) values ('user', 'eve', 'x', 'admin')",
        "update app.principals set role = 'admin'",
        "update app.principals set secret_hash = 'x'",
        "update app.principals set regions = null",
        "update app.principals set is_active = true",
        "delete from app.principals",
        "delete from app.audit",
        "update app.audit set action = 'nothing'",
        "update app.audit set at = now()",
    ],
)
def test_the_service_can_give_itself_no_rights_and_rewrite_no_record(
    owner: Pg, service: Pg, statement: str
) -> None:
    made(owner, "anna")
    before = owner.execute("select * from app.principals").fetchall()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute(statement)
    assert owner.execute("select * from app.principals").fetchall() == before
