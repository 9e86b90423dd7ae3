"""``alerts.toml``: who is told of what."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from pipeline.alerts.errors import AlertsError, DeliveryError
from pipeline.alerts.models import EVENTS, Event

EXAMPLE = "docs/alerts.example.toml"
PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _web_address(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or not url.get_secret_value().isprintable() or " " in url.get_secret_value():
        raise ValueError("must be an address that begins with https:// or http://")
    return url


def _header_value(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value.get_secret_value()):
        raise ValueError("must be printable ASCII, without spaces around it")
    return value


def _mail_address(address: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+@[A-Za-z0-9.-]+", address) or re.search(r"[<>,;:\"]", address):
        raise ValueError("must be a plain e-mail address such as ops@example.com")
    return address


WebAddress = Annotated[SecretStr, AfterValidator(_web_address)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Receiver(BaseModel):
    """Somebody to tell; ``name`` is what the log and the table of deliveries call it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")
    on: tuple[Event, ...] = Field(default=EVENTS, min_length=1)


class Webhook(Receiver):
    """An address that is sent JSON. It and the headers may be secrets, so neither is ever shown."""

    url: WebAddress
    headers: dict[HeaderName, HeaderValue] = {}
    secret_env: Variable | None = None


class Email(Receiver):
    """A mail server and the addresses to write to."""

    host: str = Field(pattern=r"^[A-Za-z0-9.:-]+$")
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_env: Variable | None = None
    sender: MailAddress = Field(alias="from")
    to: tuple[MailAddress, ...] = Field(min_length=1)

    @property
    def server_port(self) -> int:
        """The port, by default the usual one of the kind of security."""
        return self.port or PORTS[self.security]

    @model_validator(mode="after")
    def _is_safe(self) -> "Email":
        if (self.user is None) != (self.password_env is None):
            raise ValueError("user and password_env go together")
        if self.user is not None and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError('a password is not sent in the clear: use security = "starttls" or "tls"')
        return self


class Receivers(BaseModel):
    """Everybody who is told of something."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: tuple[Webhook, ...] = ()
    email: tuple[Email, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """Receivers without a name are called after their place in the file."""
        return {kind: _with_names(kind, listed) for kind, listed in given.items()}

    @model_validator(mode="after")
    def _are_told_apart(self) -> "Receivers":
        names = [receiver.name for receiver in self.all]
        if not names:
            raise ValueError(f"names no receiver; {EXAMPLE} shows how")
        if len(set(names)) < len(names):
            raise ValueError("two receivers have the same name")
        return self

    @property
    def all(self) -> tuple[Webhook | Email, ...]:
        """The receivers in the order of the file, webhooks first."""
        return (*self.webhook, *self.email)


def read_receivers(file: Path) -> Receivers | None:
    """Who is told of what; None while there is no such file.

    Raises:
        AlertsError: the file cannot be read or used; names the line, or the receiver and its field.
    """
    try:
        return Receivers.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AlertsError(f"{file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AlertsError(f"{file}: is no TOML: {error}") from error
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        told = "; ".join(_describe(item["loc"], item["type"], item["msg"]) for item in found)
        # Without its cause: that would show what the file says.
        raise AlertsError(f"{file}: {told}") from None


def secret(variable: str) -> str:
    """The secret in an environment variable.

    Raises:
        DeliveryError: it is not set.
    """
    found = os.environ.get(variable)
    if not found:
        raise DeliveryError(f"the environment variable {variable} is not set")
    return found


def _with_names(kind: str, listed: Any) -> Any:
    if not isinstance(listed, list):
        return listed
    return [
        {"name": f"{kind}-{number}", **item} if isinstance(item, Mapping) else item
        for number, item in enumerate(listed, start=1)
    ]


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """For example: email 2, port: Input should be less than or equal to 65535."""
    where = ""
    for part in location:
        where += f" {part + 1}" if isinstance(part, int) else f", {part}" if where else part
    what = "there is no such field" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
    return f"{where}: {what}" if where else what
