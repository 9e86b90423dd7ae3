"""Answers kept for as long as their build is the newest: in this process, or in Redis for all of them.

Keys name the build, so a refresh invalidates by construction.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import redis
from cachelib import RedisCache, SimpleCache
from cachelib.base import BaseCache
from cachelib.serializers import RedisSerializer

from pipeline.settings import Settings

# Old builds' answers are never asked for again; they are dropped when these are reached.
MOST_ANSWERS = 500
KEEP_SECONDS = 24 * 3600
LARGEST_BYTES = 256 * 1024
# After a failure the cache is left alone for this long: each try may take a second.
PAUSE_SECONDS = 30.0

log = logging.getLogger("api")

T = TypeVar("T")


class _Bytes(RedisSerializer):
    """Bytes as they are: what comes from a shared server is never unpickled."""

    def dumps(self, value: bytes, protocol: int = 0) -> bytes:
        return value

    def loads(self, value: bytes | None) -> bytes | None:
        return value


class _SharedCache(RedisCache):
    serializer = _Bytes()


class Cache:
    """Bytes by key; a cache that does not answer is an empty one."""

    def __init__(self, settings: Settings) -> None:
        self._kept: BaseCache = SimpleCache(MOST_ANSWERS, KEEP_SECONDS)
        self._paused_until = 0.0
        if settings.redis_url:
            client = redis.Redis.from_url(settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
            self._kept = _SharedCache(client, default_timeout=KEEP_SECONDS, key_prefix="tillhouse:")

    def get(self, key: str) -> bytes | None:
        """What is kept under a key, or None."""
        found: bytes | None = self._try(lambda: self._kept.get(key))
        return found

    def put(self, key: str, value: bytes) -> None:
        """Keep a value, unless it is too large."""
        if len(value) <= LARGEST_BYTES:
            self._try(lambda: self._kept.set(key, value))

    def _try(self, ask: Callable[[], T]) -> T | None:
        if time.monotonic() < self._paused_until:
            return None
        try:
            return ask()
        except redis.RedisError as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("the cache does not answer: %s", error)
            return None
