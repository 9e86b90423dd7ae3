"""Inspection: what a file is, and how ``sources.toml`` would have to describe it."""

from pipeline.inspection.inspecting import inspect_file
from pipeline.inspection.models import HeaderReading, Inspection, Problem

__all__ = ["HeaderReading", "Inspection", "Problem", "inspect_file"]
