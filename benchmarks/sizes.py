"""What the warehouse takes on disk, against the file that it came from."""

from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.sales import write_history
from benchmarks.shop import open_shop
from pipeline.warehouse.connect import connect
from pipeline.warehouse.embedded import EmbeddedServer

_SCHEMAS = ("raw", "core", "marts")


def measure(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Tables and indexes of each schema, and of all, once a first load is published."""
    csv = folder / "sales.csv"
    write_history(csv, rows=rows, per_day=max(1, rows // 365))
    with open_shop(server) as shop:
        shop.refresh(csv)
        with connect(shop.warehouse.urls.owner) as connection:
            found = connection.execute(
                """
                select nspname, sum(pg_total_relation_size(pg_class.oid))::bigint
                from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
                where nspname = any(%s) and relkind in ('r', 'm')
                group by nspname order by nspname
                """,
                (list(_SCHEMAS),),
            ).fetchall()
    file = csv.stat().st_size
    total = sum(size for _, size in found)
    note = ", ".join(f"{schema} {size / file:.2f}×" for schema, size in found)
    return [
        Figure("tables and indexes on disk", "the CSV", rows, total / 2**20, file / 2**20, total / file,
               "MB", 3.0, "at most", note)
    ]  # fmt: skip
