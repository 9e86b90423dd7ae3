"""The rows that an import's files were rejected for."""

from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

# The same file as the source's latest delivery is not landed again: what its batch rejected counts.
_LANDED = """
select asked.file_number, quarantine.row_number, quarantine.reasons, quarantine.raw_text
from unnest(%(batch_ids)s::bigint[]) with ordinality as asked (batch_id, file_number)
inner join core.batches on batches.batch_id = asked.batch_id
inner join core.quarantine on quarantine.batch_id = case
    when batches.status <> 'skipped' then batches.batch_id
    else (
        select max(equal.batch_id)
        from core.batches as equal
        where equal.source = batches.source and equal.sha256 = batches.sha256
            and equal.status = 'landed' and equal.batch_id < batches.batch_id
    )
end
where (asked.file_number, quarantine.row_number) > (%(file_number)s, %(row_number)s)
order by asked.file_number, quarantine.row_number
limit %(limit)s
"""

_CHECKED = """
select file_number, row_number, reasons, raw_text
from app.import_rejects
where job_id = %(job_id)s and (file_number, row_number) > (%(file_number)s, %(row_number)s)
order by file_number, row_number
limit %(limit)s
"""

After = tuple[int, int]


def landed_rejects(
    reader: Connection[TupleRow], batch_ids: list[int], after: After, limit: int
) -> list[dict[str, Any]]:
    """Quarantined rows of these batches, file by file, after a (file number, row number)."""
    return _rows(reader, _LANDED, {"batch_ids": batch_ids}, after, limit)


def checked_rejects(
    app: Connection[TupleRow], job_id: UUID, after: After, limit: int
) -> list[dict[str, Any]]:  # fmt: skip
    """What a dry run rejected, file by file, after a (file number, row number)."""
    return _rows(app, _CHECKED, {"job_id": job_id}, after, limit)


def _rows(
    connection: Connection[TupleRow], query: LiteralString, values: dict[str, Any], after: After, limit: int
) -> list[dict[str, Any]]:
    values |= {"file_number": after[0], "row_number": after[1], "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
