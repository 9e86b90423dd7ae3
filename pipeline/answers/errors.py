"""What can be wrong with a question, whoever asks it."""

from pipeline.errors import TillhouseError


class QueryError(TillhouseError):
    """A question that cannot be answered.

    ``code`` names the problem (see ``api.problems``), the message says what to do about it,
    ``parameter`` names the culprit when there is one.
    """

    def __init__(self, code: str, detail: str, parameter: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.parameter = parameter
