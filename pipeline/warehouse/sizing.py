"""How much of the machine the embedded Postgres may use.

The server shares the machine with everything else of ours and with the user's programs, so each
figure takes a small share of the memory, between bounds: what helps on a laptop of 2 GB, and what
stops helping on a server.
"""

import os
from pathlib import Path

import psutil

_MB = 2**20
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def usable_memory(limit_file: Path = _CGROUP_LIMIT) -> int:
    """Bytes of memory that this process may use: the machine's, or its container's limit."""
    total = int(psutil.virtual_memory().total)
    try:
        limit = limit_file.read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total


def sized_settings(memory: int, cores: int) -> dict[str, str]:
    """Postgres settings for a machine of ``memory`` bytes and so many ``cores``."""
    workers = max(1, cores // 2)
    return {
        "shared_buffers": _share(memory, 8, 128, 1024),
        # No memory is taken for this one: it tells the planner what the system's cache may hold.
        "effective_cache_size": _share(memory, 2, 512, 65536),
        "work_mem": _share(memory, 256, 16, 128),
        "maintenance_work_mem": _share(memory, 32, 64, 1024),
        # A build's own statements run side by side: one of them must not take every core.
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(min(4, workers)),
        "max_parallel_maintenance_workers": str(min(4, workers)),
    }


def settings_of_this_machine() -> dict[str, str]:
    """The same for the machine, or container, that this process runs on."""
    return sized_settings(usable_memory(), os.cpu_count() or 1)


def _share(memory: int, divisor: int, least: int, most: int) -> str:
    return f"{min(most, max(least, memory // divisor // _MB))}MB"
