"""Refreshes on histories of several lengths; corrections and overwrites against a first load."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.sales import write_corrections, write_history, write_new_lines, write_shuffled
from benchmarks.shop import Shop, open_shop
from benchmarks.turns import in_turns
from pipeline.warehouse.embedded import EmbeddedServer

# New lines, as a share of the longest history: 10,000 on 10 million.
NEW_SHARE = 1_000
NEW_DAYS = 30
CORRECTED_LINES = 1_000


def on_histories(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """A refresh of new lines on a hundredth, a tenth and all of ``rows``.

    Each has as many lines a day, but for the last one: all of ``rows`` in one year, which has no aim.
    """
    shortest = rows // 100
    per_day = max(1, shortest // 30)
    new_lines = rows // NEW_SHARE
    what = f"landing and building {new_lines:,} new lines over {NEW_DAYS} days"
    dense = f"{what}, on a history of one year"
    histories = [
        (what, shortest, per_day),
        (what, rows // 10, per_day),
        (what, rows, per_day),
        (dense, rows, max(1, rows // 365)),
    ]
    with ExitStack() as stack:
        sides: dict[str, Callable[[], float]] = {}
        for name, length, a_day in histories:
            shop = stack.enter_context(open_shop(server))
            history = folder / "history.csv"
            write_history(history, rows=length, per_day=a_day)
            shop.refresh(history)
            sides[f"{name}, {length}"] = _new_lines(shop, folder, new_lines)
        timings = in_turns(sides)
    first = timings[f"{what}, {shortest}"].median
    return [
        Figure(
            name, f"itself on {shortest:,} lines of a month", length, seconds, first, seconds / first, "s",
            None if name == dense else 1.2, "at most",
        )
        for name, length, _ in histories[1:]
        for seconds in [timings[f"{name}, {length}"].median]
    ]  # fmt: skip


def _new_lines(shop: Shop, folder: Path, rows: int) -> Callable[[], float]:
    numbers = count()

    def refresh() -> float:
        path = folder / "new_lines.csv"
        write_new_lines(path, rows=rows, days=NEW_DAYS, number=next(numbers))
        seconds, published = shop.refresh(path)
        assert not published.is_full
        assert published.lines_added == rows
        return seconds

    return refresh


def of_the_past(server: EmbeddedServer, folder: Path, rows: int) -> list[Figure]:
    """Corrections anywhere in the past, and a whole file with one change, against a full load and build."""
    history = folder / "history.csv"
    write_history(history, rows=rows, per_day=max(1, rows // 365))
    numbers = count()

    def first_load() -> float:
        with open_shop(server) as shop:
            return shop.refresh(history)[0]

    with open_shop(server) as corrected, open_shop(server) as overwritten:
        corrected.refresh(history)
        overwritten.refresh(history)

        def corrections() -> float:
            path = folder / "corrections.csv"
            write_corrections(history, path, rows=CORRECTED_LINES, number=next(numbers))
            seconds, published = corrected.refresh(path)
            assert (published.is_full, published.lines_added) == (False, CORRECTED_LINES)
            return seconds

        def overwrite(delivery: str) -> float:
            path = folder / "shuffled.csv"
            write_shuffled(history, path, number=next(numbers))
            return overwritten.refresh(path, mode="overwrite", delivery=delivery)[0]

        timings = in_turns(
            {
                "first": first_load,
                "corrections": corrections,
                "overwrite": partial(overwrite, "partial"),
                "full delivery": partial(overwrite, "full"),
            }
        )
    first = timings["first"].median
    return [
        Figure(what, "a first load and build", rows, timings[name].median, first,
               timings[name].median / first, "s", aim, "at most")
        for name, what, aim in (
            ("corrections", f"a correction of {CORRECTED_LINES:,} lines anywhere in the past", 0.1),
            ("overwrite", "an overwrite with the same lines shuffled and one changed", 0.5),
            ("full delivery", "the same, of a source that delivers everything", 0.5),
        )
    ]  # fmt: skip
