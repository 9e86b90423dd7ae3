"""Dagster's view of the pipeline: assets, checks, the job, its schedules and its sensor.

Thin wrappers: what they do is in ``pipeline.landing`` and ``pipeline.builds``.
"""
