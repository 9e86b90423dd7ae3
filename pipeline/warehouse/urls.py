"""libpq URLs: read, and written anew with another user or database."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pipeline.warehouse.errors import WarehouseError


def parse_url(url: str, variable: str) -> dict[str, str]:
    """The parameters of a libpq URL.

    Args:
        url: `postgresql://user:password@host:port/database?option=value`.
        variable: where it comes from, named in the error.

    Raises:
        WarehouseError: it is no such URL, or names no database.
    """
    example = "postgresql://user:password@host:5432/database"
    if not url.startswith(("postgresql://", "postgres://")):
        raise WarehouseError(f"{variable} must be a Postgres URL such as {example}")
    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError as error:
        # libpq's message may repeat the URL with its password; ours does not.
        raise WarehouseError(f"{variable} is no valid Postgres URL: it should look like {example}") from error
    if not parameters.get("dbname"):
        raise WarehouseError(f"{variable} names no database: it should look like {example}")
    return parameters


def build_url(parameters: Mapping[str, str]) -> str:
    """A libpq URL of these parameters, which SQLAlchemy and psycopg2 understand as well."""
    rest = dict(parameters)
    user, password = rest.pop("user", ""), rest.pop("password", "")
    host, port, database = rest.pop("host", ""), rest.pop("port", ""), rest.pop("dbname", "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    # Socket folders and lists of hosts cannot stand before the slash.
    if "/" in host or "," in host:
        rest["host"] = host
        host = ""
        if port:
            rest["port"], port = port, ""
    elif ":" in host:
        host = f"[{host}]"
    server = f"{login}@" if login else ""
    server += host + (f":{port}" if port else "")
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    return f"postgresql://{server}/{quote(database, safe='')}{query}"
