"""``python -m api``: serve the API."""

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces

from api.listening import check_listening
from pipeline.settings import SettingsError, get_settings
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from apiflask import APIFlask

DEFAULT_PORT = 8000
THREADS = 4
_PARENT = "TILLHOUSE_API_PARENT"


def main() -> int:
    """Serve until told to stop; the exit code is 2 when the settings do not allow it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = get_settings()
        warning = check_listening(settings)
        database_urls(settings)
    except (SettingsError, WarehouseError) as error:
        sys.stderr.write(f"api: {error}\n")
        return 2
    if warning:
        logging.getLogger("api").warning(warning)
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
    ).serve()
    return 0


def application() -> "APIFlask":
    """The application of a worker process."""
    from api.app import create_app  # The parent only watches: it needs none of this.

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _end_with_parent()
    settings = get_settings()
    return create_app(settings, database_urls(settings))


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
