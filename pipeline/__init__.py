"""Tillhouse's Dagster code location: it moves sales from files to published marts."""
