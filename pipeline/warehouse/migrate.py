"""Alembic migrations, run from code: there is no alembic.ini."""

from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from pipeline.warehouse.connect import connect

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_SCHEMA = "migrations"


def newest_revision() -> str:
    """The revision that the code needs: the file names are its numbers, in order."""
    return max(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def applied_revision(connection: psycopg.Connection[TupleRow]) -> str | None:
    """The revision the database is at, or None when it has none."""
    row = connection.execute("select to_regclass(%s)", (f"{VERSION_SCHEMA}.alembic_version",)).fetchone()
    if row is None or row[0] is None:
        return None
    row = connection.execute("select version_num from migrations.alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade(url: str) -> None:
    """Bring the database to the newest revision, in one transaction.

    The caller holds the lock that keeps two upgrades apart.
    """
    # Imported here: Alembic and SQLAlchemy take half a second that most calls do not need.
    import alembic.command
    import alembic.config
    import sqlalchemy

    configuration = alembic.config.Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, application_name="tillhouse-migrate"),
        poolclass=sqlalchemy.pool.NullPool,
    )
    with engine.begin() as connection:
        connection.execute(sqlalchemy.schema.CreateSchema(VERSION_SCHEMA, if_not_exists=True))
        configuration.attributes["connection"] = connection
        alembic.command.upgrade(configuration, "head")
