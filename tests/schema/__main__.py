"""Bring the pages that show the schema up to date: `make schema`, after a change of a published table.

The schema is that of a warehouse made for this, in which the six lines of the sample are published.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.builds.dbt_runner import load_manifest
from pipeline.settings import Settings
from tests.pipeline.landing.files import SAMPLE
from tests.schema.describing import as_said, words
from tests.schema.drawing import dot, pdf, svg
from tests.schema.pages import DICTIONARY, PDF, README, SVG, with_diagram, with_dictionary
from tests.schema.reading import read_schema


def main() -> None:
    """Write the diagram of the README, the data dictionary and the two pictures."""
    if shutil.which("dot") is None:
        sys.exit("Graphviz draws the schema, and there is no `dot`: apt-get install graphviz")
    with _published() as (home, url):
        said = words(load_manifest(Settings(home=home)))
        tables = as_said(read_schema(url), said)
    README.write_text(with_diagram(README.read_text(encoding="utf-8"), tables), encoding="utf-8")
    text = with_dictionary(DICTIONARY.read_text(encoding="utf-8"), tables, said)
    DICTIONARY.write_text(text, encoding="utf-8")
    source = dot(tables)
    SVG.write_text(svg(source), encoding="utf-8")
    PDF.write_bytes(pdf(source))


@contextmanager
def _published() -> Iterator[tuple[Path, str]]:
    """The home and the address of such a warehouse, which is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="tillhouse-schema-"))
    # The user that runs Postgres must get through.
    home.chmod(0o711)
    # Nothing of the user's own settings: they may name a warehouse that is in use.
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    environment["TILLHOUSE_HOME"] = str(home)

    def tillhouse(*arguments: str) -> str:
        command = [sys.executable, "-m", "pipeline.cli", *arguments]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    try:
        tillhouse("load", str(SAMPLE))
        yield home, tillhouse("db", "url").strip()
    finally:
        tillhouse("db", "reset", "--yes")
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
