"""The page of the benchmarks, and the same figures for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import Figure, table
from benchmarks.turns import ROUNDS

_HEAD = """\
# Benchmarks

Written by `make bench`. Every figure is a ratio to something that was run beside it, in turns, on the same
machine: the median of {rounds} rounds. The seconds are this machine's.

| what | value |
| --- | --- |
"""


def write_page(page: Path, figures: Sequence[Figure], machine: Mapping[str, str], rows: int) -> None:
    """Write the page, and its figures as JSON beside it."""
    head = _HEAD.format(rounds=ROUNDS) + "".join(f"| {name} | {value} |\n" for name, value in machine.items())
    page.write_text(f"{head}\n{table(figures)}", encoding="utf-8")
    content = {"machine": machine, "rows": rows, "figures": [asdict(figure) for figure in figures]}
    page.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
