"""What the resources work with, bound to the app that serves them."""

from dataclasses import dataclass

from flask import current_app

from api.cache import Cache
from api.dagster import Dagster
from api.database import Database
from pipeline.settings import Settings

KEY = "tillhouse"


@dataclass(frozen=True)
class Services:
    """The settings, Postgres, Dagster and the kept answers of one app."""

    settings: Settings
    database: Database
    dagster: Dagster
    cache: Cache


def services() -> Services:
    """The services of the app that answers this request."""
    found: Services = current_app.extensions[KEY]
    return found
