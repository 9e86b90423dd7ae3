"""Where tracebacks go, so that a user sees one line."""

import os
import traceback
from datetime import UTC, datetime

from pipeline.errors import TillhouseError

_LOG_BYTES = 1_000_000


def describe_unexpected(error: Exception) -> str:
    """One line about an error of ours; its traceback is appended to HOME/logs/cli-errors.log.

    To be called while the error is being handled.
    """
    text = f"--- {datetime.now(UTC).isoformat(timespec='seconds')}\n{traceback.format_exc()}"
    return f"unexpected {type(error).__name__}: {error}. {_keep(text)}"


def _keep(text: str) -> str:
    from pipeline.settings import get_settings
    from pipeline.warehouse.place import make_home, private_folder

    try:
        home = get_settings().home
        make_home(home)
        log = home / "logs" / "cli-errors.log"
        private_folder(log.parent)
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(text)
    except (OSError, TillhouseError):
        return f"The details could not be written to a log file:\n{text}"
    return f"The details are in {log}"
