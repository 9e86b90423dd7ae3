"""Imported by the process that runs are forked from: the dbt project, read once for all of them.

A run whose project has changed since, or whose warehouse is another one, reads the project itself.
"""

import logging

from pipeline.builds.dbt_runner import parse_ahead
from pipeline.settings import get_settings
from pipeline.warehouse.connect import database_urls

try:
    settings = get_settings()
    parse_ahead(settings, database_urls(settings).owner)
except Exception as error:
    # What is raised here would end the process that all runs are forked from; a run says it where it matters.
    logging.getLogger(__name__).warning("the dbt project is not read before the runs: %s", error)
