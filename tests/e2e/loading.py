"""A child process that runs `tillhouse load`, started up to the point where its work begins.

Prints ``ready`` once everything is imported, waits for a line, then loads; so a test that
kills it hits the work and not Python's imports.
"""

import sys

import pipeline.builds.dbt_runner
from pipeline.cli import main

if __name__ == "__main__":
    import dagster  # noqa: F401
    import dbt.cli.main  # noqa: F401

    import pipeline.definitions  # noqa: F401

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    main(sys.argv[1:])
