"""Dagster's instance folder, and the environment that Dagster's processes need."""

import json
import os
from pathlib import Path

from pipeline.settings import Settings
from pipeline.warehouse.connect import DatabaseUrls
from pipeline.warehouse.place import make_home, private_folder

_TEMPLATE = Path(__file__).with_name("dagster.yaml.template")


def prepare_instance(settings: Settings, urls: DatabaseUrls) -> dict[str, str]:
    """Write HOME/dagster/dagster.yaml and return the environment that goes with it.

    Args:
        settings: which home.
        urls: the databases, Dagster's among them.

    Returns:
        Variables for a child process, or to put into `os.environ` before Dagster is imported.
    """
    folder = settings.home / "dagster"
    logs = settings.home / "logs" / "compute"
    artifacts = folder / "artifacts"
    make_home(settings.home)
    # Below dbt's folder dbt makes its own, with the usual permissions: nobody else gets so far.
    for path in (folder, logs, artifacts, settings.home / "dbt"):
        private_folder(path)
    # JSON strings are YAML strings, whatever the path holds.
    text = _TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("@compute_logs@", json.dumps(str(logs)))
    text = text.replace("@artifacts@", json.dumps(str(artifacts)))
    _write_if_changed(folder / "dagster.yaml", text)
    return {
        "TILLHOUSE_HOME": str(settings.home),
        "DAGSTER_HOME": str(folder),
        # SQLAlchemy's own name for the driver: dagster-postgres works with psycopg2 alone.
        "TILLHOUSE_DAGSTER_STORAGE_URL": "postgresql+psycopg2://" + urls.dagster.split("://", 1)[1],
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONUNBUFFERED": "1",
    }


def _write_if_changed(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
