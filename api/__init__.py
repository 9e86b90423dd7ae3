"""The REST service: it reads ``core`` and ``marts``, and asks Dagster for refreshes."""
