"""Who can reach the API: this machine alone, or others too, who then have to log in."""

import ipaddress

from pipeline.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def accounts_required(settings: Settings) -> bool:
    """Whether every caller has to log in: when the settings say so, and always beyond loopback."""
    return settings.accounts or not is_loopback(settings.api_host)
