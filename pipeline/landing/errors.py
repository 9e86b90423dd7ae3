"""What can go wrong while a file is landed, in words for the person who sent it."""

from pipeline.errors import TillhouseError


class LandingError(TillhouseError):
    """Nothing was landed; the message says what is wrong, where, and what to do."""


class FileRefused(LandingError):
    """This file cannot be read as order lines; its batch is refused whole."""


class MissingColumns(FileRefused):
    """Required columns are not among ``headers``, the file's."""

    def __init__(self, message: str, headers: tuple[str, ...]) -> None:
        super().__init__(message)
        self.headers = headers
