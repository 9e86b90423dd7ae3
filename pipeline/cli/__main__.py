"""`python -m pipeline.cli`: the same as `tillhouse`."""

from pipeline.cli import main

main(prog_name="tillhouse")
