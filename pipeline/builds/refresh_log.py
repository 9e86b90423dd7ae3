"""``app.refreshes``: what was asked for, and what became of it."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from pipeline.errors import TillhouseError

INTERRUPTED = "The process ended before the refresh was complete; nothing that readers see was changed."


class RefreshCanceled(TillhouseError):
    """The refresh was canceled before it began."""


def begin(
    connection: Connection,
    *,
    refresh_id: str | None,
    run_id: str,
    requested_by: str,
    full: bool,
    mode: str | None,
    sources: list[str],
    takes_inbox: bool,
) -> str:
    """Mark a refresh as running, or record it when nobody did before (CLI, schedule, inbox).

    The caller holds the refresh lock, so every other row that is still running is a leftover:
    it is closed. A refresh that was given its files takes in nothing else, so nobody may join it.

    Returns:
        The refresh's id.

    Raises:
        RefreshCanceled: whoever asked has canceled it meanwhile.
    """
    with connection.transaction():
        connection.execute(
            """
            update app.refreshes
            set status = 'failed', finished_at = now(), message = %s
            where status = 'running' and dagster_run_id is distinct from %s
            """,
            (INTERRUPTED, run_id),
        )
        # A retried run carries on its refresh: what the first try left is wiped.
        row = connection.execute(
            """
            insert into app.refreshes (
                refresh_id, status, requested_by, is_full, mode, sources, dagster_run_id, started_at,
                batches_fixed_at
            )
            values (
                coalesce(%(refresh_id)s::uuid, gen_random_uuid()), 'running', %(requested_by)s,
                %(full)s, %(mode)s, %(sources)s, %(run_id)s, now(),
                case when not %(takes_inbox)s then now() end
            )
            on conflict (refresh_id) do update
            set
                status = 'running', dagster_run_id = excluded.dagster_run_id, started_at = now(),
                finished_at = null, batches_fixed_at = null, build_id = null, problem = null, message = null
            where refreshes.status <> 'canceled'
            returning refresh_id
            """,
            {
                "refresh_id": refresh_id,
                "requested_by": requested_by,
                "full": full,
                "mode": mode,
                "sources": sources or None,
                "run_id": run_id,
                "takes_inbox": takes_inbox,
            },
        ).fetchone()
    if row is None:
        raise RefreshCanceled("This refresh was canceled before it began; nothing was done.")
    return str(row[0])


def fix_batches(connection: Connection, refresh_id: str) -> None:
    """Say that the refresh takes in nothing more: later requests need a follow-up."""
    connection.execute(
        """
        update app.refreshes set batches_fixed_at = coalesce(batches_fixed_at, now())
        where refresh_id = %s
        """,
        (refresh_id,),
    )


def add_counts(connection: Connection, refresh_id: str, counts: Mapping[str, Any]) -> None:
    """Merge counts into the refresh's row."""
    connection.execute(
        "update app.refreshes set counts = counts || %s where refresh_id = %s",
        (Jsonb(dict(counts)), refresh_id),
    )


def finish(
    connection: Connection,
    refresh_id: str,
    status: str,
    message: str,
    problem: Mapping[str, Any] | None = None,
) -> None:
    """Close a running refresh; one that is closed already stays as it is.

    The message says how many files were refused on the way: whoever follows the refresh may look
    at nothing else.
    """
    connection.execute(
        """
        update app.refreshes
        set status = %s, problem = %s, finished_at = now(),
            message = %s || case
                when (counts ->> 'files_refused')::integer > 0
                    then format(' Files refused: %%s (see the batches).', counts ->> 'files_refused')
                else ''
            end
        where refresh_id = %s and status = 'running'
        """,
        (status, Jsonb(dict(problem)) if problem else None, message, refresh_id),
    )


def close_leftovers(connection: Connection, run_ids: list[str]) -> int:
    """Close the refreshes of runs whose processes are gone; returns how many."""
    closed = connection.execute(
        """
        update app.refreshes
        set status = 'failed', finished_at = now(), message = %s
        where status = 'running' and dagster_run_id = any(%s)
        """,
        (INTERRUPTED, run_ids),
    )
    return closed.rowcount
