"""`tillhouse sample`."""

from pathlib import Path

import click

from pipeline.cli.output import say


@click.command()
@click.option("--rows", type=click.IntRange(min=1), default=50_000, show_default=True, help="How many lines.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, other sales."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path("-"),
    help="The file to write, gzipped when its name ends in .gz; '-' (default) is stdout.",
)
def sample(*, rows: int, seed: int, output: Path) -> None:
    """Write a CSV of believable sales of a shop that does not exist.

    The same number of rows and seed give the same file.
    """
    from pipeline.sample import write_sample

    if str(output) == "-":
        write_sample(None, rows=rows, seed=seed)
        return
    write_sample(output, rows=rows, seed=seed)
    say(f"{rows:,} lines written to {output}")
