"""Jobs (refreshes, imports, dry runs, exports): what was asked for, and what became of it."""
