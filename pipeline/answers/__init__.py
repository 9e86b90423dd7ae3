"""The query layer: questions in, exact figures out.

Pure composition and execution of SQL, the forms of the rows and their files, with no web framework
in it, so that the API, the command line and the export jobs answer alike.
"""
