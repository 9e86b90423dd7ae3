"""What `up` shows: on a terminal lines above one status line, elsewhere plain lines."""

from collections.abc import Sequence
from typing import Protocol

from pipeline.supervisor.state import ServiceState

_COLOURS = {
    "waiting": "bright_black",
    "starting": "yellow",
    "ready": "green",
    "restarting": "red",
    "stopped": "bright_black",
}


class Reporter(Protocol):
    """Where a supervisor's words go."""

    def say(self, line: str) -> None:
        """Print a line."""

    def show(self, services: Sequence[ServiceState]) -> None:
        """Bring the status up to date."""

    def close(self) -> None:
        """Leave the output as it stands."""


class PlainReporter:
    """Lines alone: a service's change of status is one."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def say(self, line: str) -> None:
        """Print a line."""
        print(line, flush=True)  # noqa: T201

    def show(self, services: Sequence[ServiceState]) -> None:
        """Print what changed."""
        for service in services:
            if service.status not in ("waiting", self._shown.get(service.name)):
                self.say(f"{service.name}: {service.status}")
            self._shown[service.name] = service.status

    def close(self) -> None:
        """Nothing is open."""


class TerminalReporter:
    """Lines above a status line that stays at the bottom."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._text = Text
        self._console = Console(highlight=False)
        # No refresh thread: children are started by fork, which threads do not mix with.
        self._live = Live("", console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._shown = ""

    def say(self, line: str) -> None:
        """Print a line above the status line."""
        self._console.print(self._text(line))

    def show(self, services: Sequence[ServiceState]) -> None:
        """Draw the status line anew when it changed."""
        line = self._text(no_wrap=True, overflow="ellipsis")
        for service in services:
            line.append("● ", style=_COLOURS[service.status])
            line.append(service.name if service.status == "ready" else f"{service.name} {service.status}")
            line.append(f" {service.url}  " if service.url and service.status == "ready" else "  ")
        line.append("Ctrl-C stops", style="bright_black")
        if line.markup != self._shown:
            self._shown = line.markup
            self._live.update(line, refresh=True)

    def close(self) -> None:
        """Remove the status line."""
        self._live.stop()
