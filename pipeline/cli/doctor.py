"""`tillhouse doctor`."""

import sys
from collections.abc import Callable, Sequence

import click

from pipeline.cli.checks import Check, all_checks
from pipeline.cli.output import print_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(*, as_json: bool) -> None:
    """Check the installation and say what to do; exit code 1 when there is a problem."""
    checks = [_run(name, look) for name, look in all_checks()]
    is_well = all(check.is_ok for check in checks)
    if as_json:
        print_json({"ok": is_well, "checks": [vars(check) for check in checks]})
    else:
        _print(checks)
    sys.exit(0 if is_well else 1)


def _run(name: str, look: Callable[[], Check]) -> Check:
    """A check that breaks is a problem found, not the end of the others."""
    try:
        return look()
    except Exception as error:
        return Check(name, False, str(error) or type(error).__name__, "")


def _print(checks: Sequence[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = click.style("ok     ", fg="green") if check.is_ok else click.style("problem", fg="red")
        click.echo(f"{mark}  {check.name:<{width}}  {check.found}")
        if check.advice:
            click.echo(f"{'':>{width + 11}}→ {check.advice}")
