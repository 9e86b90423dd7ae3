"""The top of the command line: imports a command when it is asked for, and turns errors into messages."""

import errno
import importlib
from collections.abc import Mapping
from typing import Any

import click

from pipeline import __version__
from pipeline.cli.error_log import describe_unexpected
from pipeline.errors import TillhouseError

EXIT_PROBLEM = 1
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are named as `module:attribute` and imported on use."""

    def __init__(self, *, commands_at: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(context_settings={"help_option_names": ["-h", "--help"]}, **options)
        self._commands_at = commands_at
        self.params.append(
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Print the version and stop.",
            )
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, in the order of the help."""
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._commands_at:
            return None
        module, attribute = self._commands_at[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._commands_at.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever goes wrong ends in one message and an exit code.

        1: a problem that the message explains. 70: an error of ours, with its traceback in a log
        file. 130: interrupted.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except TillhouseError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(EXIT_PROBLEM)
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # The reader of our output has left (`| head`): click ends quietly.
            click.echo(f"Error: {describe_unexpected(error)}", err=True)
            ctx.exit(EXIT_BUG)


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        click.echo(f"tillhouse {__version__}")
        ctx.exit()
