"""What runs are forked from. That they are is seen in tests/e2e/test_stack.py, which kills one."""

import json
import subprocess
import sys

LOOK = """
import importlib, json, os, sys
import psutil
from pipeline.supervisor.code_location import NO_THREADS, PRELOADED
os.environ.update(NO_THREADS)
for name in PRELOADED:
    importlib.import_module(name)
ours = {"pipeline.landing", "polars"}
print(json.dumps([psutil.Process().num_threads(), sorted(ours & set(sys.modules))]))
"""


def test_what_is_imported_before_the_fork_has_started_no_thread() -> None:
    # A thread would be missing after the fork, with whatever lock it held.
    found = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == [1, []]
