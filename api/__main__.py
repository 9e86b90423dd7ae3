"""``python -m api``: serve the API."""

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces

from api.listening import accounts_required, is_loopback
from api.logs import configure_logging, logging_config
from pipeline.settings import Settings, SettingsError, get_settings
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import saved_signing_key

if TYPE_CHECKING:
    from apiflask import APIFlask

DEFAULT_PORT = 8000
THREADS = 4
_PARENT = "TILLHOUSE_API_PARENT"


def main() -> int:
    """Serve until told to stop; the exit code is 2 when the settings do not allow it."""
    try:
        settings = get_settings()
        configure_logging(settings)
        database_urls(settings)
        _check_accounts(settings)
    except (SettingsError, WarehouseError) as error:
        sys.stderr.write(f"api: {error}\n")
        return 2
    os.environ[_PARENT] = str(os.getpid())
    Granian(
        "api.__main__:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.api_host,
        port=settings.api_port or DEFAULT_PORT,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_access=False,
        log_dictconfig=logging_config(settings),
    ).serve()
    return 0


def application() -> "APIFlask":
    """The application of a worker process."""
    from api.app import create_app  # The parent only watches: it needs none of this.

    _end_with_parent()
    settings = get_settings()
    configure_logging(settings)
    return create_app(settings, database_urls(settings))


def _check_accounts(settings: Settings) -> None:
    if not accounts_required(settings):
        return
    if saved_signing_key(settings.home) is None:
        raise WarehouseError(
            f"accounts are on, and {settings.home} has no key for their tokens yet: run `tillhouse up`"
        )
    log = logging.getLogger("api")
    log.info("accounts are on: every caller logs in (`tillhouse user add` makes an account)")
    if not is_loopback(settings.api_host) and not settings.allowed_hosts:
        log.warning(
            "listening on %s, but only requests for localhost are answered: name this machine in "
            "TILLHOUSE_ALLOWED_HOSTS",
            settings.api_host,
        )


def _end_with_parent() -> None:
    # A worker whose parent was killed would keep the port, and answer for ever.
    parent = int(os.environ.get(_PARENT, "0"))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if parent:
        threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
