"""Postgres: connections, the embedded server, roles, migrations, locks."""
