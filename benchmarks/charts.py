"""Charts of what things cost at several sizes."""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure as Chart

from benchmarks.figures import Figure

_COLUMNS = 2
_INCHES = 4.2

# The same figures make the same file.
mpl.rcParams["svg.hashsalt"] = "tillhouse"


def draw_costs(path: Path, figures: Sequence[Figure]) -> None:
    """One panel for everything that was measured at more than one size: ours and theirs against lines."""
    panels = [group for group in _by_subject(figures).values() if len({figure.rows for figure in group}) > 1]
    lines = -(-len(panels) // _COLUMNS)
    chart = Chart(figsize=(_COLUMNS * _INCHES, max(1, lines) * _INCHES), layout="constrained")
    for number, group in enumerate(panels, start=1):
        axes = chart.add_subplot(lines, _COLUMNS, number)
        group = sorted(group, key=lambda figure: figure.rows)
        sizes = [figure.rows for figure in group]
        axes.plot(sizes, [figure.ours for figure in group], marker="o", label="Tillhouse")
        theirs = [math.nan if figure.theirs is None else figure.theirs for figure in group]
        axes.plot(sizes, theirs, marker="s", linestyle="--", label=group[0].against)
        axes.set(title=group[0].what, xlabel="lines", ylabel=group[0].unit, xscale="log", yscale="log")
        axes.title.set_wrap(True)
        axes.legend(fontsize="small")
        axes.grid(visible=True, alpha=0.3)
    chart.savefig(path, format="svg", metadata={"Date": None})


def _by_subject(figures: Sequence[Figure]) -> dict[tuple[str, str], list[Figure]]:
    groups: dict[tuple[str, str], list[Figure]] = defaultdict(list)
    for figure in figures:
        groups[figure.what, figure.against].append(figure)
    return groups
