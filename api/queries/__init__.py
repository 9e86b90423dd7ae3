"""The query layer: questions in, exact figures out.

Pure composition and execution of SQL, with no web framework in it, so that the API and the
report command answer with the same figures.
"""
