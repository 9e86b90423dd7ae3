"""What can go wrong while a file is landed, in words for the person who sent it."""


class LandingError(Exception):
    """Nothing was landed; the message says what is wrong, where, and what to do."""


class FileRefused(LandingError):
    """This file cannot be read as order lines; its batch is refused whole."""
