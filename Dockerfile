# One image for the code location, the webserver, the daemon and the API; docker-compose.yml says
# what each of them runs.
FROM python:3.11-slim-bookworm AS packages

RUN python -m venv /opt/tillhouse
COPY requirements-runtime.lock /tmp/
# The lock names every package with its hashes, so there is nothing to resolve; wheels alone, so
# that nothing has to be compiled and no package's build script runs.
RUN /opt/tillhouse/bin/pip install --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes --only-binary :all: --requirement /tmp/requirements-runtime.lock

FROM python:3.11-slim-bookworm

# A number, so that an orchestrator can tell that it is not root. The named volumes take their owner
# from these folders.
RUN groupadd --gid 10001 tillhouse \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tillhouse \
        --shell /usr/sbin/nologin tillhouse \
    && install --directory --owner tillhouse --group tillhouse --mode 0700 \
        /var/lib/tillhouse /var/lib/tillhouse-files
COPY --from=packages /opt/tillhouse /opt/tillhouse

WORKDIR /app
COPY workspace.yaml ./
COPY docker/healthcheck.py docker/
COPY --chmod=0755 docker/tillhouse /usr/local/bin/
COPY dbt_project dbt_project
COPY pipeline pipeline
COPY api api
RUN /opt/tillhouse/bin/python -m compileall -q api pipeline

ENV PATH=/opt/tillhouse/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TILLHOUSE_HOME=/var/lib/tillhouse \
    MPLCONFIGDIR=/tmp/matplotlib \
    DO_NOT_TRACK=1 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false
USER 10001:10001
CMD ["tillhouse", "--help"]
