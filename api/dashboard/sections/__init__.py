"""The sections of the overview: each asks the API for what it shows."""
