"""What the supervisor lets a process of its own do: it needs Dagster, which the supervisor itself does not.

`python -m pipeline.supervisor.tasks prepare | recover | introduce [--no-sample]`
"""

import os
import sys

from pipeline.cli.error_log import describe_unexpected
from pipeline.errors import TillhouseError
from pipeline.settings import get_settings


def prepare() -> None:
    """Make everything that the services need before they start, where no supervisor does it."""
    from pipeline.supervisor.instance import prepare_instance
    from pipeline.warehouse.place import private_folder
    from pipeline.warehouse.prepare import ensure_warehouse

    settings = get_settings()
    os.environ.update(prepare_instance(settings, ensure_warehouse(settings, _print)))
    private_folder(settings.inbox_folder)

    import dagster as dg

    # Dagster's processes make its tables when there are none: before they start at the same time.
    with dg.DagsterInstance.get():
        _print("The warehouse and Dagster's instance are ready.")


def recover() -> None:
    """Close the runs that a crash left open."""
    from pipeline.assets.recovery import close_leftover_runs

    closed = close_leftover_runs(get_settings())
    if closed:
        _print(f"Closed {closed} run(s) that a crash had left open.")


def introduce(*, no_sample: bool) -> None:
    """On the first start, land the sample and print a first answer."""
    from pipeline.cli.first_run import bootstrap

    bootstrap(get_settings(), _print, no_sample=no_sample)


def main(arguments: list[str]) -> int:
    """Run one of the tasks; its exit code."""
    try:
        match arguments:
            case ["prepare"]:
                prepare()
            case ["recover"]:
                recover()
            case ["introduce", *rest]:
                introduce(no_sample="--no-sample" in rest)
            case _:
                _print(str(__doc__))
                return 2
    except TillhouseError as error:
        _print(f"Error: {error}")
        return 1
    except Exception as error:
        _print(f"Error: {describe_unexpected(error)}")
        return 1
    return 0


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
