"""`tillhouse user add|list|role|regions|disable|enable|password|token`."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.accounts.audit import Attempt, recorded
from pipeline.accounts.errors import AccountError
from pipeline.accounts.principals import (
    Account,
    add_account,
    find_account,
    list_accounts,
    set_active,
    set_password,
    set_regions,
    set_role,
)
from pipeline.accounts.roles import ROLES, Kind, Role
from pipeline.accounts.sessions import begin_session
from pipeline.accounts.tokens import LIFETIME, AccessToken, write_token
from pipeline.cli.output import print_json, print_table, say
from pipeline.settings import get_settings
from pipeline.warehouse.connect import connect
from pipeline.warehouse.passwords import signing_key
from pipeline.warehouse.prepare import ensure_warehouse

_ROLES = click.Choice(list(ROLES))
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


@click.group()
def user() -> None:
    """Who may use the API: users and clients, their roles, passwords and tokens.

    Roles: viewer (read), analyst (and refresh), editor (and upload), admin (everything).
    """


@user.command()
@click.argument("name")
@click.option("--role", type=_ROLES, default="viewer", show_default=True, help="What it may do.")
@click.option("--region", "regions", multiple=True, help="The only region it sees; may be repeated.")
@click.option("--client", "is_client", is_flag=True, help="A program: it gets a secret, printed once.")
@_from_stdin
@_as_json
def add(
    *, name: str, role: Role, regions: tuple[str, ...], is_client: bool, password_stdin: bool, as_json: bool
) -> None:
    """Make an account."""
    kind: Kind = "client" if is_client else "user"
    password = _asked_password(kind, from_stdin=password_stdin)
    with _change("add", name, " ".join((kind, role, *regions))) as connection:
        secret = add_account(connection, name, kind, role, regions, password)
        account = find_account(connection, name)
    _print_account(account, secret if is_client else None, as_json=as_json)


@user.command(name="list")
@_as_json
def list_(*, as_json: bool) -> None:
    """List the accounts."""
    with _owner() as connection:
        accounts = list_accounts(connection)
    if as_json:
        print_json([_plain(account) for account in accounts])
    elif not accounts:
        say("No accounts yet: `tillhouse user add NAME --role admin` makes the first one.")
    else:
        rows = [
            (
                each.name,
                each.kind,
                each.role,
                ", ".join(each.regions or ["all"]),
                _state(each),
                each.last_used_at,
            )
            for each in accounts
        ]
        print_table(["name", "kind", "role", "regions", "state", "last login"], rows)


@user.command()
@click.argument("name")
@click.argument("role", type=_ROLES)
@_as_json
def role(*, name: str, role: Role, as_json: bool) -> None:
    """Give an account another role; it holds at once."""
    with _change("role", name, role) as connection:
        set_role(connection, name, role)
        account = find_account(connection, name)
    _print_account(account, as_json=as_json)


@user.command()
@click.argument("name")
@click.option("--region", "regions", multiple=True, help="The only region it sees; may be repeated.")
@click.option("--all", "sees_all", is_flag=True, help="Let it see every region.")
@_as_json
def regions(*, name: str, regions: tuple[str, ...], sees_all: bool, as_json: bool) -> None:
    """Limit an account to regions, or lift the limit; it holds at once."""
    if bool(regions) == sees_all:
        raise click.UsageError("give either --region (once or more) or --all")
    with _change("regions", name, ", ".join(regions) or "all") as connection:
        set_regions(connection, name, regions)
        account = find_account(connection, name)
    _print_account(account, as_json=as_json)


@user.command()
@click.argument("name")
@_as_json
def disable(*, name: str, as_json: bool) -> None:
    """Keep an account out; its tokens end at once."""
    _set_active(name, "disable", is_active=False, as_json=as_json)


@user.command()
@click.argument("name")
@_as_json
def enable(*, name: str, as_json: bool) -> None:
    """Let a disabled account in again."""
    _set_active(name, "enable", is_active=True, as_json=as_json)


@user.command()
@click.argument("name")
@_from_stdin
@_as_json
def password(*, name: str, password_stdin: bool, as_json: bool) -> None:
    """Give a user another password, or a client another secret; its tokens end at once."""
    with _owner() as connection:
        account = find_account(connection, name)
        given = _asked_password(account.kind, from_stdin=password_stdin)
        with recorded(connection, _attempt("password", name)):
            secret = set_password(connection, name, given)
    _print_account(account, secret if account.kind == "client" else None, as_json=as_json)


@user.command()
@click.argument("name")
@_as_json
def token(*, name: str, as_json: bool) -> None:
    """Print an access token, which works for 15 minutes; with --json a user's refresh token too."""
    key = signing_key(get_settings().home)
    with _change("token", name) as connection:
        account = find_account(connection, name)
        session = begin_session(connection, account)
        if session is None:
            raise AccountError(f"{name} is disabled: run `tillhouse user enable {name}` first")
    access = write_token(key, AccessToken(account.principal_id, session.session_id, session.granted))
    if not as_json:
        click.echo(access)
        return
    print_json(
        {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "refresh_token": session.refresh_token,
            "scope": " ".join(sorted(session.granted)),
        }
    )


@contextmanager
def _owner() -> Iterator[Connection[TupleRow]]:
    # The service itself may not write accounts: whoever may is who owns the warehouse.
    urls = ensure_warehouse(get_settings(), say)
    with connect(urls.owner, autocommit=True, application_name="tillhouse-user") as connection:
        yield connection


@contextmanager
def _change(command: str, name: str, value: str = "") -> Iterator[Connection[TupleRow]]:
    """A transaction for a change of an account, on record whether it succeeds or not."""
    with _owner() as connection, recorded(connection, _attempt(command, name, value)):
        yield connection


def _attempt(command: str, name: str, value: str = "") -> Attempt:
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # A container's user may have a number alone.
        who = f"uid {os.getuid()}"
    return Attempt(None, who, action=f"cli: user {command} {value}".strip(), target=name)


def _set_active(name: str, command: str, *, is_active: bool, as_json: bool) -> None:
    with _change(command, name) as connection:
        set_active(connection, name, is_active=is_active)
        account = find_account(connection, name)
    _print_account(account, as_json=as_json)


def _asked_password(kind: Kind, *, from_stdin: bool) -> str | None:
    """What is given for a password; None for a client, unless one is sent nevertheless."""
    if kind == "client" and not from_stdin:
        return None
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountError("there is no terminal to ask for the password on: use --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def _print_account(account: Account, secret: str | None = None, *, as_json: bool) -> None:
    if as_json:
        print_json(_plain(account) | ({"client_secret": secret} if secret else {}))
        return
    seen = f", limited to {', '.join(account.regions)}" if account.regions else ""
    click.echo(f"{account.name}: {account.kind}, {account.role}{seen}, {_state(account)}")
    if secret:
        click.echo(f"Secret (shown this once): {secret}")


def _plain(account: Account) -> dict[str, Any]:
    return {**vars(account), "scopes": sorted(account.scopes)}


def _state(account: Account) -> str:
    return "active" if account.is_active else "disabled"
