"""Imported by the process that runs are forked from: the dbt project, read once for all of them.

A run whose project has changed since, or whose warehouse is another one, reads the project itself.
"""

from contextlib import suppress

from pipeline.builds.dbt_runner import DbtError, parse_ahead
from pipeline.settings import get_settings
from pipeline.warehouse.connect import database_urls
from pipeline.warehouse.errors import WarehouseError

# A project that cannot be read fails where it is needed, with its message.
with suppress(DbtError, WarehouseError):
    settings = get_settings()
    parse_ahead(settings, database_urls(settings).owner)
