"""What was measured, for people and for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

_HEAD = """\
| what | against | lines | ours | theirs | ratio | aim | met |
| --- | --- | ---: | ---: | ---: | ---: | --- | --- |
"""


@dataclass(frozen=True)
class Figure:
    """One ratio: ``ours`` and ``theirs`` in the same unit, and what was aimed at.

    ``better`` says which side of the aim is good: a ratio ``at most`` or ``at least`` so high. ``theirs`` and
    ``ratio`` are None where the other side could not be run. ``parts`` says of what ``ours`` is made, in
    its unit.
    """

    what: str
    against: str
    rows: int
    ours: float
    theirs: float | None
    ratio: float | None
    unit: str
    aim: float | None
    better: Literal["at most", "at least"]
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        if self.aim is None or self.ratio is None:
            return None
        return self.ratio <= self.aim if self.better == "at most" else self.ratio >= self.aim


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    return _HEAD + "".join(_row(figure) for figure in figures)


def _row(figure: Figure) -> str:
    aim = "–" if figure.aim is None else f"{figure.better} {figure.aim:g}×"
    met = {None: "", True: "yes", False: "no"}[figure.is_met]
    note = f" ({figure.note})" if figure.note else ""
    theirs = "–" if figure.theirs is None else f"{figure.theirs:.3g} {figure.unit}"
    ratio = "–" if figure.ratio is None else f"{figure.ratio:.2f}×"
    return (
        f"| {figure.what}{note} | {figure.against} | {figure.rows:,} | {figure.ours:.3g} {figure.unit} "
        f"| {theirs} | {ratio} | {aim} | {met} |\n"
    )


def parts_table(figure: Figure) -> str:
    """Of what our side is made, as a Markdown table."""
    rows = "".join(f"| {name} | {value:.3g} {figure.unit} |\n" for name, value in figure.parts.items())
    return f"| {figure.what} | |\n| --- | ---: |\n{rows}"
