"""Connections to the tables of accounts."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import TupleRow

from pipeline.accounts.principals import Account, add_account, find_account
from pipeline.accounts.roles import Kind, Role
from pipeline.warehouse.connect import connect
from tests.conftest import Warehouse

PASSWORD = "four unrelated words"


@pytest.fixture
def owner(warehouse: Warehouse) -> Iterator[psycopg.Connection[TupleRow]]:
    """The owner's connection, which commits each statement."""
    with connect(warehouse.urls.owner, autocommit=True) as connection:
        yield connection


@pytest.fixture
def service(warehouse: Warehouse) -> Iterator[psycopg.Connection[TupleRow]]:
    """The service's connection, which commits each statement."""
    with connect(warehouse.urls.app, autocommit=True) as connection:
        yield connection


def made(
    connection: psycopg.Connection[TupleRow],
    name: str = "anna",
    role: Role = "viewer",
    regions: tuple[str, ...] = (),
    kind: Kind = "user",
) -> Account:
    """A new account."""
    add_account(connection, name, kind, role, regions, PASSWORD if kind == "user" else None)
    return find_account(connection, name)
