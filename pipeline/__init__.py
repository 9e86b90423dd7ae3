"""Tillhouse's Dagster code location: it moves sales from files to published marts."""

__version__ = "0.1.0"
