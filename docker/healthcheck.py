"""Whether a container's service works: `python docker/healthcheck.py http URL | grpc PORT | daemon`.

Dagster's own commands for this load all of Dagster: some seconds of processor time for each look.
"""

import os
import sys
import urllib.request

_SECONDS = 5


def check_http(url: str) -> None:
    """A GET is answered with success."""
    urllib.request.urlopen(url, timeout=_SECONDS).close()


def check_grpc(port: str) -> None:
    """The code location says that it serves."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = health_pb2.HealthCheckRequest(service="DagsterApi")
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_SECONDS)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise RuntimeError("the code location does not serve")


def check_daemon() -> None:
    """The daemon has written its heartbeat (every 30 seconds) in the last two minutes."""
    import psycopg

    url = os.environ["TILLHOUSE_DAGSTER_STORAGE_URL"].replace("+psycopg2", "", 1)
    with psycopg.connect(url, connect_timeout=_SECONDS) as connection:
        found = connection.execute(
            """
            select count(*)
            from daemon_heartbeats
            where timestamp > now() at time zone 'utc' - interval '2 minutes'
            """
        ).fetchone()
    if not found or found[0] == 0:
        raise RuntimeError("the daemon wrote no heartbeat in the last two minutes")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["http", url]:
            check_http(url)
        case ["grpc", port]:
            check_grpc(port)
        case ["daemon"]:
            check_daemon()
        case _:
            sys.exit(__doc__)
