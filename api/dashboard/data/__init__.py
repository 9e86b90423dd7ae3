"""The data page: how fresh the numbers are, what came in, what was not accepted, and asking for more."""
