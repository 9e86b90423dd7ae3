"""``python -m api``: serve the API."""

import logging
import sys

from api.app import close, create_app
from api.dashboard.mount import mount
from api.listening import accounts_required, is_loopback
from api.logs import configure_logging
from api.server import serve
from pipeline.settings import Settings, SettingsError, get_settings
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.errors import WarehouseError
from pipeline.warehouse.passwords import saved_signing_key

log = logging.getLogger("api")


def main() -> int:
    """Serve until told to stop; the exit code is 2 when the settings do not allow it."""
    try:
        settings = get_settings()
        configure_logging(settings)
        _check_accounts(settings)
        app = mount(create_app(settings, database_urls(settings)))
    except (SettingsError, WarehouseError) as error:
        sys.stderr.write(f"api: {error}\n")
        return 2
    try:
        serve(app, settings)
    except OSError as error:
        sys.stderr.write(f"api: cannot listen on {settings.api_host}: {error}\n")
        return 1
    finally:
        close(app)
    return 0


def _check_accounts(settings: Settings) -> None:
    if not accounts_required(settings):
        return
    if saved_signing_key(settings.home) is None:
        raise WarehouseError(
            f"accounts are on, and {settings.home} has no key for their tokens yet: run `tillhouse up`"
        )
    log.info("accounts are on: every caller logs in (`tillhouse user add` makes an account)")
    if not is_loopback(settings.api_host) and not settings.allowed_hosts:
        log.warning(
            "listening on %s, but only requests for localhost are answered: name this machine in "
            "TILLHOUSE_ALLOWED_HOSTS",
            settings.api_host,
        )


if __name__ == "__main__":
    sys.exit(main())
