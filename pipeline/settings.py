"""The one module that reads the environment.

It imports neither Dagster, Polars nor dbt, so that the API can use it too.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline.errors import TillhouseError

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class SettingsError(TillhouseError):
    """A setting has a value that cannot be used; the message says which and why."""


class Settings(BaseSettings):
    """Every setting, its default, and (as ``TILLHOUSE_<NAME>``) its environment variable.

    Addresses of databases are libpq URLs. The ones that are not set are derived: from the
    embedded server when ``DATABASE_URL`` is not set, else from ``DATABASE_URL`` itself
    (see ``pipeline.warehouse.connect``).
    """

    model_config = SettingsConfigDict(env_prefix="TILLHOUSE_", extra="ignore", frozen=True)

    home: Path = Field(default=PROJECT_ROOT / ".tillhouse", description="The runtime folder.")
    inbox: Path | None = Field(default=None, description="Folder watched for files; default HOME/inbox.")

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    dagster_database_url: str | None = Field(default=None, validation_alias="DAGSTER_DATABASE_URL")
    reader_database_url: str | None = None
    app_database_url: str | None = None

    api_host: str = "127.0.0.1"
    api_port: int | None = None
    dagster_host: str = "127.0.0.1"
    dagster_port: int | None = None
    code_host: str = "127.0.0.1"
    code_port: int | None = None
    dagster_url: str = Field(
        default="http://127.0.0.1:3000", description="Where the API finds Dagster's GraphQL."
    )
    allow_remote: bool = Field(
        default=False, description="Allow the API to listen beyond loopback without accounts."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Host names, besides loopback's, that requests may name (comma-separated)."
    )

    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    time_zone: str = "UTC"
    refresh_cron: str = "0 2 * * *"
    full_build_cron: str = "0 3 * * 0"
    freshness_hours: int = Field(default=26, gt=0)
    inbox_settle_seconds: float = Field(default=2.0, ge=0)
    statement_timeout_seconds: int = Field(default=15, gt=0)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(host.strip().lower() for host in value.split(",") if host.strip())
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone (for example Europe/Berlin)") from error
        return value

    @field_validator("home", "inbox")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value if value is None else value.expanduser().absolute()

    @property
    def inbox_folder(self) -> Path:
        """The watched folder; each of its subfolders is a source."""
        return self.inbox or self.home / "inbox"

    @property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self.time_zone)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: a value cannot be used; names every such setting.
    """
    return read_settings()


def read_settings() -> Settings:
    """The settings as the environment has them now.

    Raises:
        SettingsError: a value cannot be used; names every such setting.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(_describe(item["loc"], item["msg"]) for item in error.errors())
        raise SettingsError(problems) from error


def _describe(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0])
    variable = name if name.isupper() else f"TILLHOUSE_{name.upper()}"
    return f"{variable}: {message}"
