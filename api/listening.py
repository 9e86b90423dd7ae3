"""Where the API may listen: on loopback, and beyond it only when that was allowed."""

import ipaddress

from pipeline.settings import Settings, SettingsError


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_listening(settings: Settings) -> str | None:
    """The warning to give before listening, or None when only this machine can call.

    Raises:
        SettingsError: the address is reached from elsewhere and that was not allowed.
    """
    if is_loopback(settings.api_host):
        return None
    if not settings.allow_remote:
        raise SettingsError(
            f"TILLHOUSE_API_HOST={settings.api_host} can be reached from other machines, and the API asks "
            "for no login: listen on 127.0.0.1, or set TILLHOUSE_ALLOW_REMOTE=true where only trusted "
            "callers can reach it"
        )
    return (
        f"listening on {settings.api_host} without login: whoever reaches this address can read every number "
        "and start refreshes"
    )
