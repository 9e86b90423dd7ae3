"""The one module that reads the environment.

It imports neither Dagster, Polars nor dbt, so that the API can use it too.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
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
    accounts: bool = Field(
        default=False, description="Ask every caller for a login; always so beyond loopback."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Host names, besides loopback's, that requests may name (comma-separated)."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins of other sites whose pages may call the API (comma-separated)."
    )
    proxies: int = Field(
        default=0,
        ge=0,
        description="Reverse proxies before the API, whose word on callers' addresses and on https it takes.",
    )
    rate_limit: str = Field(
        default="1200/minute",
        pattern="^[1-9][0-9]*/(second|minute|hour|day)$",
        description="Requests that one caller may make.",
    )
    redis_url: str | None = Field(
        default=None,
        validation_alias="REDIS_URL",
        description="Shares cache and rate limits between processes.",
    )
    uploads: Path | None = Field(default=None, description="Folder for uploaded files; default HOME/uploads.")
    upload_limit_mb: int = Field(default=1024, gt=0, description="The largest upload.")
    exports: Path | None = Field(
        default=None, description="Folder for finished exports; default HOME/exports."
    )
    export_limit_rows: int = Field(
        default=1_000_000, gt=0, description="Answers with more rows are exported by a job, not streamed."
    )
    originals: Path | None = Field(
        default=None, description="Folder for the files that landed, compressed; default HOME/originals."
    )
    originals_days: int = Field(default=90, ge=0, description="How long they are kept.")
    sources: Path | None = Field(
        default=None, description="How each source's files are written; default HOME/sources.toml."
    )
    fetch_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Hosts that files may be fetched from by http(s) (comma-separated)."
    )
    fetch_private: bool = Field(
        default=False, description="Let these hosts be on the private network, or this machine."
    )
    fetch_limit_mb: int = Field(default=1024, gt=0, description="The largest file that is fetched.")
    fetch_seconds: int = Field(default=600, gt=0, description="The longest that fetching a file may take.")
    s3_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+/?$",
        description="The server of s3:// addresses; default AWS.",
    )
    alerts: Path | None = Field(default=None, description="Who is told of what; default HOME/alerts.toml.")
    log_format: Literal["text", "json"] = Field(default="text", description="How the API writes its log.")

    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    time_zone: str = "UTC"
    refresh_cron: str = "0 2 * * *"
    full_build_cron: str = "0 3 * * 0"
    freshness_hours: int = Field(default=26, gt=0)
    inbox_settle_seconds: float = Field(default=2.0, ge=0)
    statement_timeout_seconds: int = Field(default=15, gt=0)

    @field_validator("allowed_hosts", "allowed_origins", "fetch_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone (for example Europe/Berlin)") from error
        return value

    @field_validator("home", "inbox", "uploads", "exports", "originals", "sources", "alerts")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value if value is None else value.expanduser().absolute()

    @property
    def inbox_folder(self) -> Path:
        """The watched folder; each of its subfolders is a source."""
        return self.inbox or self.home / "inbox"

    @property
    def uploads_folder(self) -> Path:
        """Where the API puts what is sent to it; the pipeline loads it from there."""
        return self.uploads or self.home / "uploads"

    @property
    def exports_folder(self) -> Path:
        """Where the pipeline puts finished exports; the API serves them from there."""
        return self.exports or self.home / "exports"

    @property
    def originals_folder(self) -> Path:
        """Where landed files are kept as they were delivered, to be read again."""
        return self.originals or self.home / "originals"

    @property
    def findings_folder(self) -> Path:
        """Where the findings report of each build is kept; the API serves them from there."""
        return self.home / "findings"

    @property
    def sources_file(self) -> Path:
        """How each source's files are written; without it, as the challenge's are."""
        return self.sources or self.home / "sources.toml"

    @property
    def alerts_file(self) -> Path:
        """Who is told of what; alerts are off while there is no such file."""
        return self.alerts or self.home / "alerts.toml"

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
