"""Supervises small programs instead of the real services: run as a program by the tests.

Each service writes its grandchild's pid, answers "ready" by a file, and waits. `broken` in the
arguments adds one that ends at once.
"""

import sys
from collections.abc import Callable

from pipeline.settings import PROJECT_ROOT, Settings, get_settings
from pipeline.supervisor.reporter import PlainReporter
from pipeline.supervisor.run import run_foreground
from pipeline.supervisor.supervise import Plan, Service
from pipeline.warehouse.connect import DatabaseUrls

_WORK = 'sleep 1000 & echo $! > "$1/$2.grandchild"; echo $$ > "$1/$2.ready"; wait'
_STUBBORN = 'trap "" TERM; sleep 1000 & echo $! > "$1/$2.grandchild"; echo $$ > "$1/$2.ready"; wait; wait'


def plan(settings: Settings, urls: DatabaseUrls, upkeep: Callable[[], None]) -> Plan:
    def service(name: str, script: str = _WORK, *, recovers: bool = False, after: bool = False) -> Service:
        ready = settings.home / f"{name}.ready"
        return Service(
            name=name,
            command=["/bin/bash", "-c", script, "bash", str(settings.home), name],
            is_ready=lambda started_at: ready.exists() and ready.stat().st_mtime >= started_at - 1,
            url=f"http://127.0.0.1/{name}",
            recovers_on_death=recovers,
            starts_after_recovery=after,
        )

    services = [service("code-location", recovers=True), service("daemon", after=True)]
    if "stubborn" in sys.argv:
        services.append(service("stubborn", _STUBBORN))
    if "broken" in sys.argv:
        services.append(service("broken", "echo the reason; exit 3"))
    return Plan(
        home=settings.home,
        services=services,
        environment={"PATH": "/usr/bin:/bin"},
        folder=PROJECT_ROOT,
        recover=["/bin/bash", "-c", 'echo recovered >> "$1/recoveries"', "bash", str(settings.home)],
        greeting=["ready to greet"],
        introduce=["/bin/bash", "-c", "echo Europe 1299.00; echo Asia 2777.97"],
        upkeep=upkeep,
        grace_seconds=2,
        api_url="http://127.0.0.1/api",
        dagster_url="http://127.0.0.1/dagster",
    )


if __name__ == "__main__":
    run_foreground(get_settings(), PlainReporter(), planner=plan)
