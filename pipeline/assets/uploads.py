"""Uploaded files: each job's are in a folder of the job's name."""

import shutil

from psycopg import Connection

from pipeline.settings import Settings


def remove_upload(connection: Connection, settings: Settings, job_id: str) -> None:
    """Remove what was uploaded for a job, if anything, once nothing will ask for it again.

    What landed is in Postgres; what was refused, its sender has. A job that was interrupted may be
    tried once more: it keeps its files. What a dry run has checked may be loaded for a day.
    """
    is_over = connection.execute(
        """
        select
            (status = 'succeeded' and kind <> 'check') or status = 'canceled'
            or (status = 'failed' and problem is not null)
        from app.jobs
        where job_id = %s
        """,
        (job_id,),
    ).fetchone()
    if is_over is not None and is_over[0]:
        shutil.rmtree(settings.uploads_folder / job_id, ignore_errors=True)
