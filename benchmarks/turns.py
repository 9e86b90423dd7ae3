"""Timing things side by side: in turns, so that what else the machine does falls on all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True)
class Timing:
    """Seconds of each round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return median(self.seconds)


def in_turns(sides: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, Timing]:
    """Run every side ``rounds`` times, one after the other in each round.

    Args:
        sides: by name; each does its work once and returns the seconds that count.
        rounds: how often.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        # Every other round goes backwards: whoever comes second finds warmer caches.
        names = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in names:
            seconds[name].append(sides[name]())
    return {name: Timing(tuple(values)) for name, values in seconds.items()}
