"""What `tillhouse up` does once its services are ready: sample, build, first answer."""

import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from pipeline.settings import Settings
from pipeline.warehouse.connect import connect, database_urls

SAMPLE_ROWS = 50_000
SAMPLE_SEED = 1


def bootstrap(settings: Settings, say: Callable[[str], None], *, no_sample: bool) -> None:
    """Fill an empty warehouse with the bundled sample, then say a first answer.

    A warehouse that holds a landed batch is left as it is.
    """
    if not no_sample and _is_empty(settings):
        _load_sample(settings, say)
    say(first_answer(settings))


def first_answer(settings: Settings) -> str:
    """Net revenue by region, or what to do when nothing is published yet."""
    from pipeline.answers.errors import QueryError
    from pipeline.answers.numbers import half_up, minor_digits
    from pipeline.answers.regions import net_revenue_by_region

    try:
        regions = net_revenue_by_region(settings, database_urls(settings))
    except QueryError as error:
        return str(error)
    digits = minor_digits(settings.currency)
    lines = [f"  {region:<20} {Decimal(half_up(Decimal(net), digits)):>18,}" for region, net in regions]
    return "\n".join([f"Net revenue by region, {settings.currency}:", *lines])


def _is_empty(settings: Settings) -> bool:
    with connect(database_urls(settings).owner) as connection:
        return (
            connection.execute("select 1 from raw.batches where status = 'landed' limit 1").fetchone() is None
        )


def _load_sample(settings: Settings, say: Callable[[str], None]) -> None:
    from pipeline.builds.plan import FIRST_START, SAMPLE_SOURCE
    from pipeline.cli.run_job import run_refresh
    from pipeline.sample import write_sample

    say(
        f"First start: loading a sample of {SAMPLE_ROWS:,} made-up sales. "
        "It leaves the numbers as soon as you load data of your own."
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.csv"
        write_sample(path, rows=SAMPLE_ROWS, seed=SAMPLE_SEED)
        outcome = run_refresh(
            settings,
            database_urls(settings),
            {"files": [str(path)], "source": SAMPLE_SOURCE, "requested_by": FIRST_START},
        )
    say(outcome.message)
