"""Run by Alembic: works on the connection that `pipeline.warehouse.migrate` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="migrations", transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
