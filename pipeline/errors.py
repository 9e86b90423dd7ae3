"""The base of every error that is meant for a user's eyes."""


class TillhouseError(Exception):
    """Something a user can act on: the message says what is wrong, where, and what to do.

    The command line prints the message alone; a traceback is for errors of any other class.
    """
