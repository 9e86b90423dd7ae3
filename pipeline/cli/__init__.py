"""The `tillhouse` command."""

from pipeline.cli.group import LazyGroup

# name: (where the command is, its line in the help). A command's module is imported when the
# command runs, so that `--help` and the small commands need neither Dagster, Polars nor dbt.
main = LazyGroup(
    name="tillhouse",
    help="From a sales CSV to revenue answers that can be trusted.",
    commands_at={
        "up": ("pipeline.cli.up:up", "Start the database, Dagster and the API; Ctrl-C stops them."),
        "down": ("pipeline.cli.down:down", "Stop what `up` started."),
        "inspect": (
            "pipeline.cli.inspect:inspect",
            "Show what a file is, and write its entry for sources.toml.",
        ),
        "load": ("pipeline.cli.load:load", "Land CSV files and publish the new numbers."),
        "refresh": ("pipeline.cli.refresh:refresh", "Build and publish what has been landed."),
        "report": ("pipeline.cli.report:report", "Print revenue figures."),
        "rejects": ("pipeline.cli.rejects:rejects", "Show the rows that were quarantined, and why."),
        "void": ("pipeline.cli.void:void", "Take a delivery back out of the numbers, or put it back."),
        "close": ("pipeline.cli.close:close", "Close a month: deliveries may not change it any more."),
        "status": (
            "pipeline.cli.status:status",
            "Show services, builds, batches, and the data's reach.",
        ),
        "doctor": ("pipeline.cli.doctor:doctor", "Check the installation and say what to do."),
        "sample": ("pipeline.cli.sample:sample", "Write a file of believable sales."),
        "alerts": ("pipeline.cli.alerts:alerts", "Who is told when something goes wrong: check, try."),
        "user": ("pipeline.cli.user:user", "Who may use the API: accounts, roles, passwords, tokens."),
        "db": ("pipeline.cli.db:db", "The database: its address, a shell, stop, reset."),
    },
)

__all__ = ["main"]
