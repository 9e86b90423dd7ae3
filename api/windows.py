"""Counting in windows of fixed length: in this process, or in Redis for all of them."""

import logging
import threading
import time
from dataclasses import dataclass

import redis

from pipeline.settings import Settings

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_KEY_PREFIX = "tillhouse/window:"
# After a failure Redis is left alone for this long: each try may take a second.
PAUSE_SECONDS = 30.0
# Windows that are over are dropped this often.
_SWEEP_SECONDS = 60.0

log = logging.getLogger("api")


@dataclass(frozen=True)
class Rate:
    """So many in so many seconds."""

    amount: int
    seconds: int

    @classmethod
    def read(cls, text: str) -> "Rate":
        """The rate of a text such as ``1200/minute``, which the settings have checked."""
        amount, _, unit = text.partition("/")
        return cls(int(amount), _SECONDS[unit])


@dataclass(frozen=True)
class Window:
    """How many there were in the current window, and the time (of ``time.time``) at which it ends."""

    count: int
    ends_at: float


class Windows:
    """Counts by key. A window begins with the first that is counted."""

    def __init__(self, settings: Settings) -> None:
        self._own = _OwnWindows()
        self._shared = _SharedWindows(settings.redis_url) if settings.redis_url else None
        self._paused_until = 0.0

    def count(self, key: str, rate: Rate, *, adding: int = 1) -> Window:
        """Add to a key's window; ``adding`` 0 only looks at it.

        While Redis does not answer, this process counts for itself.
        """
        if self._shared is not None and time.monotonic() >= self._paused_until:
            try:
                return self._shared.count(key, rate, adding)
            except redis.RedisError as error:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
                log.warning("requests are counted without Redis: %s", error)
        return self._own.count(key, rate, adding)


class _OwnWindows:
    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._lock = threading.Lock()
        self._sweep_at = 0.0

    def count(self, key: str, rate: Rate, adding: int) -> Window:
        now = time.time()
        with self._lock:
            if now >= self._sweep_at:
                self._windows = {
                    other: window for other, window in self._windows.items() if window.ends_at > now
                }
                self._sweep_at = now + _SWEEP_SECONDS
            found = self._windows.get(key)
            if found is None or found.ends_at <= now:
                found = Window(0, now + rate.seconds)
            if adding:
                found = self._windows[key] = Window(found.count + adding, found.ends_at)
            return found


class _SharedWindows:
    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    def count(self, key: str, rate: Rate, adding: int) -> Window:
        # A window of another length is another one.
        name = f"{_KEY_PREFIX}{rate.seconds}/{key}"
        with self._client.pipeline() as pipeline:
            if adding:
                pipeline.set(name, 0, ex=rate.seconds, nx=True)
                pipeline.incrby(name, adding)
            else:
                pipeline.get(name)
            pipeline.pttl(name)
            *_, count, milliseconds = pipeline.execute()
        if count is None:
            return Window(0, time.time() + rate.seconds)
        return Window(int(count), time.time() + milliseconds / 1000)
