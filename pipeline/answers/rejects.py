"""The rows that were not accepted."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection, sql

from pipeline.answers.streaming import Streamed

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

_OF_BATCH = """
select row_number, reasons, raw_text
from core.quarantine
where batch_id = %(batch_id)s and row_number > %(after)s
    and (%(reason)s::text is null or %(reason)s = any(reasons))
order by row_number
limit %(limit)s
"""

After = tuple[int, int]


def landed_rejects(
    reader: Connection, batch_ids: Sequence[int], names: Sequence[str], after: After, limit: int | None
) -> Streamed:
    """Quarantined rows of these batches, file by file, after a (file number, row number).

    ``names`` are those of the files; ``limit`` None gives all rows.
    """
    return _rows(reader, _LANDED, {"batch_ids": list(batch_ids)}, names, after, limit)


def checked_rejects(
    app: Connection, job_id: UUID, names: Sequence[str], after: After, limit: int | None
) -> Streamed:
    """What a dry run rejected, in the same way."""
    return _rows(app, _CHECKED, {"job_id": job_id}, names, after, limit)


def batch_rejects(
    reader: Connection, batch_id: int, reason: str | None, after: int, limit: int | None
) -> Streamed:
    """A batch's quarantined rows after a row number, of one reason or (None) of any; limit None gives all."""

    def make_row(found: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(("row_number", "reasons", "raw_text"), found, strict=True))

    values = {"batch_id": batch_id, "reason": reason, "after": after, "limit": limit}
    return Streamed(reader, sql.SQL(_OF_BATCH), make_row, values)


def _rows(
    connection: Connection,
    query: LiteralString,
    values: dict[str, Any],
    names: Sequence[str],
    after: After,
    limit: int | None,
) -> Streamed:
    def make_row(found: tuple[Any, ...]) -> dict[str, Any]:
        file_number, row_number, reasons, raw_text = found
        return {
            "file_number": file_number,
            "file_name": names[file_number - 1],
            "row_number": row_number,
            "reasons": reasons,
            "raw_text": raw_text,
        }

    values |= {"file_number": after[0], "row_number": after[1], "limit": limit}
    return Streamed(connection, sql.SQL(query), make_row, values)
