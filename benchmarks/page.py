"""The page of the benchmarks, its charts, and the same figures for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.charts import draw_costs
from benchmarks.figures import Figure, parts_table, table
from benchmarks.turns import ROUNDS

_HEAD = """\
# Benchmarks

Written by `make bench`. Every figure is a ratio to something that was run beside it, in turns, on the same
machine: the median of {rounds} rounds. The seconds are this machine's. An aim that is a number of seconds or
megabytes stands on the other side of its ratio.

| what | value |
| --- | --- |
"""


def write_page(page: Path, figures: Sequence[Figure], machine: Mapping[str, str], rows: int) -> None:
    """Write the page, its charts and its figures as JSON beside it."""
    chart = page.with_suffix(".svg")
    draw_costs(chart, figures)
    parts = "".join(f"\n{parts_table(figure)}" for figure in figures if figure.parts)
    text = (
        _HEAD.format(rounds=ROUNDS)
        + "".join(f"| {name} | {value} |\n" for name, value in machine.items())
        + f"\n## Figures\n\n{table(figures)}"
        + f"\n## Cost against size\n\n![Cost against the number of lines]({chart.name})\n"
        + f"\n## Where the time goes\n{parts}"
    )
    page.write_text(text, encoding="utf-8")
    content = {"machine": machine, "rows": rows, "figures": [asdict(figure) for figure in figures]}
    page.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
