"""Loads a CSV by one of the peers, in an environment of their own; says on one line how long it took.

It is run as a file by the peers' Python, which has nothing of ours.
"""

import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

INTEGERS = ("Quantity Sold",)
AMOUNTS = ("Unit Price", "Discount", "Shipping Cost", "Unit Cost")
DATES = ("Date of Sale",)
_CHUNK_ROWS = 10_000


def dlt_arrow(url: str, path: str) -> None:
    """dlt, the file read by Arrow and written by COPY, which is its fastest way."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    types = dict.fromkeys(INTEGERS, pa.int64()) | dict.fromkeys(DATES, pa.date32())
    types |= dict.fromkeys(AMOUNTS, pa.decimal128(18, 6))
    options = arrow_csv.ConvertOptions(column_types=types)
    _run_dlt(url, arrow_csv.read_csv(path, convert_options=options))


def dlt_rows(url: str, path: str) -> None:
    """dlt, fed with one dictionary a row."""
    _run_dlt(url, _typed_rows(path))


def _run_dlt(url: str, data: Any) -> None:
    dlt: Any = import_module("dlt")
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "peer", pipelines_dir=folder, destination=dlt.destinations.postgres(url), dataset_name="peer"
        )
        columns: Any = {name: {"data_type": "decimal", "precision": 18, "scale": 6} for name in AMOUNTS}
        pipeline.run(data, table_name="lines", columns=columns, loader_file_format="csv")


def _typed_rows(path: str) -> Iterator[dict[str, Any]]:
    convert: dict[str, Callable[[str], Any]] = dict.fromkeys(INTEGERS, int)
    convert |= dict.fromkeys(AMOUNTS, Decimal) | dict.fromkeys(DATES, date.fromisoformat)
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {name: convert.get(name, str)(text) if text else None for name, text in row.items()}


def pandas_to_sql(url: str, path: str) -> None:
    """pandas by its default method; ``method="multi"`` took seven times as long."""
    pd: Any = import_module("pandas")
    from sqlalchemy import Date, Integer, Numeric, create_engine

    types: dict[Any, Any] = dict.fromkeys(INTEGERS, Integer()) | dict.fromkeys(DATES, Date())
    types |= dict.fromkeys(AMOUNTS, Numeric(18, 6))
    # As text, which Postgres makes exact numbers of: a float would not be exact.
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""])
    frame = frame.astype(dict.fromkeys(INTEGERS, "int64"))
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    frame.to_sql("lines", engine, index=False, dtype=types, chunksize=_CHUNK_ROWS)


# Each with what it imports, which is not timed.
PEERS: dict[str, tuple[Callable[[str, str], None], tuple[str, ...]]] = {
    "dlt, by Arrow": (dlt_arrow, ("dlt", "pyarrow.csv")),
    "dlt, row by row": (dlt_rows, ("dlt",)),
    "pandas to_sql": (pandas_to_sql, ("pandas", "sqlalchemy", "psycopg2")),
}


def main(peer: str, url: str, path: str) -> None:
    """Load ``path`` with a peer."""
    load, modules = PEERS[peer]
    for module in modules:
        import_module(module)
    started = time.perf_counter()
    load(url, path)
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
