"""`tillhouse user`, as a user runs it."""

import json
from typing import Any

from pipeline.accounts.passwords import is_right
from pipeline.accounts.principals import find_login
from pipeline.accounts.sessions import find_caller
from pipeline.accounts.tokens import read_token
from pipeline.warehouse.connect import connect
from pipeline.warehouse.passwords import saved_signing_key
from tests.conftest import Warehouse
from tests.pipeline.cli.commands import tillhouse

PASSWORD = "four unrelated words"


def run(warehouse: Warehouse, *arguments: str, given: str = "") -> tuple[int, str, str]:
    result = tillhouse("user", *arguments, environment=warehouse.environment, given=given)
    return result.returncode, result.stdout, result.stderr


def rows(warehouse: Warehouse, query: str) -> list[Any]:
    with connect(warehouse.urls.owner) as connection:
        return connection.execute(query).fetchall()


def test_an_account_is_made_changed_and_disabled_and_all_of_it_is_on_record(warehouse: Warehouse) -> None:
    added = run(
        warehouse,
        *("add", "anna", "--region", "Europe", "--region", "Asia", "--password-stdin"),
        given=f"{PASSWORD}\n",
    )
    assert added == (0, "anna: user, viewer, limited to Europe, Asia, active\n", "")
    assert run(warehouse, "regions", "anna", "--all") == (0, "anna: user, viewer, active\n", "")
    assert run(warehouse, "role", "anna", "admin") == (0, "anna: user, admin, active\n", "")
    assert run(warehouse, "disable", "anna") == (0, "anna: user, admin, disabled\n", "")
    assert run(warehouse, "token", "anna")[0] == 1
    assert run(warehouse, "enable", "anna") == (0, "anna: user, admin, active\n", "")
    assert run(warehouse, "add", "anna", "--password-stdin", given=f"{PASSWORD}\n") == (
        1,
        "",
        "Error: there is an account anna already: see `tillhouse user list`, or take another name\n",
    )
    assert rows(warehouse, "select action, target, outcome from app.audit order by audit_id") == [
        ("cli: user add user viewer Europe Asia", "anna", "succeeded"),
        ("cli: user regions all", "anna", "succeeded"),
        ("cli: user role admin", "anna", "succeeded"),
        ("cli: user disable", "anna", "succeeded"),
        ("cli: user token", "anna", "failed"),
        ("cli: user enable", "anna", "succeeded"),
        ("cli: user add user viewer", "anna", "failed"),
    ]
    assert PASSWORD not in str(rows(warehouse, "select a::text from app.audit a"))


def test_a_clients_secret_is_printed_once_and_works(warehouse: Warehouse) -> None:
    code, out, _ = run(warehouse, "add", "till", "--client", "--role", "editor", "--json")
    made = json.loads(out)
    assert (code, made["name"], made["kind"], made["role"]) == (0, "till", "client", "editor")
    assert made["scopes"] == ["analytics:read", "data:write", "refresh:run"]
    code, out, _ = run(warehouse, "password", "till")
    assert out.startswith("till: client, editor, active\nSecret (shown this once): ")
    secret = out.strip().rsplit(" ", 1)[1]
    with connect(warehouse.urls.app) as connection:
        found = find_login(connection, "client", "till")
    assert found is not None
    assert is_right(found[1], secret)
    assert not is_right(found[1], made["client_secret"])
    listed = json.loads(run(warehouse, "list", "--json")[1])
    assert [each["name"] for each in listed] == ["till"]
    assert "secret" not in str(listed)


def test_a_token_is_printed_alone_and_opens_a_session(warehouse: Warehouse) -> None:
    run(warehouse, "add", "anna", "--password-stdin", given=f"{PASSWORD}\n")
    key = saved_signing_key(warehouse.settings.home)
    assert key is not None
    token = read_token(key, run(warehouse, "token", "anna")[1].strip())
    assert token.scopes == {"analytics:read"}
    with connect(warehouse.urls.app) as connection:
        caller = find_caller(connection, token.session_id, token.principal_id)
    assert caller is not None
    assert caller.name == "anna"
    body = json.loads(run(warehouse, "token", "anna", "--json")[1])
    assert body.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert read_token(key, body["access_token"]).session_id != token.session_id


def test_another_password_ends_what_was_logged_in(warehouse: Warehouse) -> None:
    run(warehouse, "add", "anna", "--password-stdin", given=f"{PASSWORD}\n")
    run(warehouse, "token", "anna")
    assert run(warehouse, "password", "anna", "--password-stdin", given="another one, longer\n")[0] == 0
    assert rows(warehouse, "select revoked_at is not null from app.sessions") == [(True,)]


def test_mistakes_are_told_in_one_line_and_change_nothing(warehouse: Warehouse) -> None:
    for arguments, given, told in (
        (
            ("add", "anna", "--password-stdin"),
            "short\n",
            "a password has 12 to 256 characters, this one has 5",
        ),
        (("add", "anna", "--password-stdin"), "", "a password has 12 to 256 characters, this one has 0"),
        (("add", "anna"), "", "there is no terminal to ask for the password on: use --password-stdin"),
        (("add", "Anna B", "--client"), "", "'Anna B' cannot be an account's name"),
        (("add", "till", "--client", "--password-stdin"), f"{PASSWORD}\n", "its secret is made, not chosen"),
        (
            ("add", "till", "--client", "--role", "editor", "--region", "Asia"),
            "",
            "Only the role viewer can be",
        ),
        (("token", "nobody"), "", "there is no account nobody: see `tillhouse user list`"),
        (("password", "nobody", "--password-stdin"), f"{PASSWORD}\n", "there is no account nobody"),
        (("disable", "nobody"), "", "there is no account nobody"),
    ):
        code, out, err = run(warehouse, *arguments, given=given)
        assert (code, out) == (1, ""), arguments
        assert err.startswith("Error: ")
        assert told in err
        assert err.count("\n") == 1
    for usage in (
        ("regions", "anna"),
        ("regions", "anna", "--all", "--region", "Asia"),
        ("role", "anna", "boss"),
    ):
        assert run(warehouse, *usage)[0] == 2
    assert run(warehouse, "list") == (
        0,
        "",
        "No accounts yet: `tillhouse user add NAME --role admin` makes the first one.\n",
    )


def test_the_list_shows_everybody(warehouse: Warehouse) -> None:
    run(warehouse, "add", "anna", "--region", "Europe", "--password-stdin", given=f"{PASSWORD}\n")
    run(warehouse, "add", "till", "--client")
    shown = run(warehouse, "list")[1]
    lines = [line.split() for line in shown.splitlines() if line.strip()]
    assert ["anna", "user", "viewer", "Europe", "active", "–"] in lines
    assert ["till", "client", "viewer", "all", "active", "–"] in lines
