"""The lineage page: the dbt docs as one file, of the dbt project as it is now."""

import shutil
from pathlib import Path

from pipeline.builds.dbt_runner import dbt_home, project_hash, run_dbt
from pipeline.settings import Settings
from pipeline.warehouse.place import private_folder

# Columns are shown of what describes them: published tables do so as models, raw ones as what staging reads.
_DESCRIBED = ("resource_type:model", "source:build", "source:record")


def lineage_page(settings: Settings) -> Path:
    """Where the page is."""
    return settings.home / "dbt_docs" / "index.html"


def renew_lineage(settings: Settings, owner_url: str) -> bool:
    """Write the page, unless it is that of the project as it is now; readers have the old one meanwhile.

    Returns:
        Whether it was written.

    Raises:
        DbtError: dbt could not describe the project.
    """
    page = lineage_page(settings)
    stamp = page.with_name("project_hash")
    current = project_hash()
    if page.exists() and stamp.exists() and stamp.read_text() == current:
        return False
    run_dbt(["docs", "generate", "--static", "--select", *_DESCRIBED], settings, owner_url)
    private_folder(page.parent)
    fresh = page.with_name("index.html.new")
    shutil.copyfile(dbt_home(settings) / "target" / "static_index.html", fresh)
    fresh.replace(page)
    stamp.write_text(current)
    return True
