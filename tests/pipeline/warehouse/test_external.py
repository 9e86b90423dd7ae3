"""A Postgres that is not ours: which rights it takes, and what is said when one is missing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls
from pipeline.warehouse.embedded import SUPERUSER, EmbeddedServer
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import password_for
from pipeline.warehouse.prepare import ensure_warehouse
from pipeline.warehouse.urls import build_url, parse_url

Admin = psycopg.Connection[TupleRow]
MakeOwner = Callable[[str], str]


def silent(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def server(home: Path) -> EmbeddedServer:
    """A bare server, standing for somebody else's; its home is not the one under test."""
    server = EmbeddedServer(home / "elsewhere")
    server.start()
    return server


@pytest.fixture
def admin(server: EmbeddedServer) -> Iterator[Admin]:
    with connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        yield connection
    server.stop()


@pytest.fixture
def make_owner(server: EmbeddedServer, admin: Admin) -> MakeOwner:
    """Makes a role with the given rights and a database `shop` of its own; gives its address."""

    def make(rights: str) -> str:
        name, password = f"boss_{uuid4().hex[:6]}", "p@ss/word ?#%"
        admin.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password))
            + sql.SQL(" " + rights)
        )
        admin.execute(sql.SQL("create database shop owner {}").format(sql.Identifier(name)))
        parameters = parse_url(server.url(SUPERUSER, "shop"), "test")
        return build_url({**parameters, "user": name, "password": password})

    return make


def test_with_all_rights_roles_and_dagsters_database_are_made(home: Path, make_owner: MakeOwner) -> None:
    settings = Settings(home=home, DATABASE_URL=make_owner("createdb createrole"))
    urls = ensure_warehouse(settings, silent)
    assert ensure_warehouse(settings, silent) == urls == database_urls(settings)
    for url, who, where in (
        (urls.reader, "tillhouse_reader", "shop"),
        (urls.app, "tillhouse_app", "shop"),
        (urls.dagster, parse_url(urls.owner, "test")["user"], "shop_dagster"),
    ):
        with connect(url) as connection:
            assert connection.execute("select current_user, current_database()").fetchone() == (who, where)
    with connect(urls.reader) as connection:
        assert connection.execute("select count(*) from core.batches").fetchone() == (0,)
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
    assert not (home / "postgres").exists()


@pytest.mark.parametrize(
    ("rights", "missing", "statement"),
    [
        ("createdb", "CREATEROLE", "create role tillhouse_reader login password '<a password>';"),
        ("createrole", "CREATEDB", 'create database "shop_dagster" owner "boss_'),
    ],
)
def test_a_missing_right_is_named_with_the_statement_to_run(
    home: Path, make_owner: MakeOwner, rights: str, missing: str, statement: str
) -> None:
    with pytest.raises(WarehouseError) as caught:
        ensure_warehouse(Settings(home=home, DATABASE_URL=make_owner(rights)), silent)
    assert f"({missing})" in str(caught.value)
    assert "Run as an administrator:" in str(caught.value)
    assert statement in str(caught.value)


def test_an_owner_that_may_not_create_schemas_is_told_the_grant(
    home: Path, admin: Admin, server: EmbeddedServer, make_owner: MakeOwner
) -> None:
    url = make_owner("createdb createrole")
    user = parse_url(url, "test")["user"]
    admin.execute("create database closed")
    closed = build_url({**parse_url(url, "test"), "dbname": "closed"})
    with pytest.raises(WarehouseError) as caught:
        ensure_warehouse(Settings(home=home, DATABASE_URL=closed), silent)
    assert f'grant create on database "closed" to "{user}";' in str(caught.value)


def test_addresses_that_are_set_need_no_rights_but_create(
    home: Path, admin: Admin, make_owner: MakeOwner
) -> None:
    url = make_owner("")
    for role in ("reports", "service"):
        admin.execute(sql.SQL("create role {} login password 'x'").format(sql.Identifier(role)))
    owner = parse_url(url, "test")
    settings = Settings(
        home=home,
        DATABASE_URL=url,
        DAGSTER_DATABASE_URL=url,
        reader_database_url=build_url({**owner, "user": "reports", "password": "x"}),
        app_database_url=build_url({**owner, "user": "service", "password": "x"}),
    )
    urls = ensure_warehouse(settings, silent)
    with connect(urls.reader) as connection:
        assert connection.execute("select current_user, count(*) from core.builds").fetchone() == (
            "reports",
            0,
        )
    with connect(urls.app) as connection:
        assert connection.execute("select current_user, count(*) from app.jobs").fetchone() == (
            "service",
            0,
        )
    assert [path.name for path in (home / "secrets").iterdir()] == ["tokens.key"]


def test_a_role_of_which_the_password_is_not_known_is_left_alone(
    home: Path, admin: Admin, make_owner: MakeOwner
) -> None:
    admin.execute("create role tillhouse_reader login password 'of another home'")
    with pytest.raises(WarehouseError, match="set TILLHOUSE_READER_DATABASE_URL"):
        ensure_warehouse(Settings(home=home, DATABASE_URL=make_owner("createdb createrole")), silent)


def test_a_server_that_is_away_is_named_without_the_password(home: Path) -> None:
    with pytest.raises(WarehouseError) as caught:
        ensure_warehouse(
            Settings(home=home, DATABASE_URL="postgresql://boss:geheim@127.0.0.1:1/shop"), silent
        )
    assert "cannot connect to database 'shop' at 127.0.0.1:1 as 'boss'" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["mysql://boss@host/shop", "host=x dbname=y", "postgresql://host/%zz", "postgresql://host"]
)
def test_an_address_that_is_none_is_refused_with_an_example(home: Path, url: str) -> None:
    with pytest.raises(WarehouseError, match=r"DATABASE_URL .*postgresql://user:password@host:5432/database"):
        ensure_warehouse(Settings(home=home, DATABASE_URL=url), silent)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://boss:p%40ss@db.example:6432/shop",
        "postgresql://boss@db.example/shop?sslmode=require",
        "postgresql:///shop?host=%2Frun%2Fpostgresql",
        "postgresql://boss@[::1]:5432/shop",
        "postgres://b%20s:%2F%3F%23@h/s%20p",
    ],
)
def test_an_address_written_anew_means_the_same(url: str) -> None:
    parameters = parse_url(url, "test")
    assert parse_url(build_url(parameters), "test") == parameters


def test_a_password_is_made_once_and_kept(home: Path) -> None:
    first = password_for(home, "somebody")
    assert len(first) == 32
    assert password_for(home, "somebody") == first
    assert password_for(home, "somebody else") != first
