"""How much one caller may do in a while: counters in Redis, each taken with one script, so that no two calls can both
be the last one.

A counter that cannot be reached lets programs in, with a loud line once a minute: what they send is worth more than the
limit. Sign-in is the other way round and closes (`SignInClosed`), for the counter there is what stands between a
guesser and a password; allauth keeps those counters (`ACCOUNT_RATE_LIMITS`), in the same Redis.
"""

from __future__ import annotations

import hashlib
import logging
import time
from functools import lru_cache
from typing import Any, cast

import redis
from django.conf import settings
from redis.exceptions import RedisError

from reviewapp.access.errors import LimitReached
from reviewapp.access.models import ApiToken, Project

logger = logging.getLogger(__name__)
MINUTE = 60  # seconds
_COUNT_ONLY = 2**53  # never reached; the largest whole number that Lua keeps exactly
# Refuses when the amount of this window is used up; else counts, though the last one may go over: a body larger than
# what is left is not kept out for ever. Answers the seconds to wait, 0 for "go on".
_TAKE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used >= tonumber(ARGV[2]) then
    return math.max(redis.call('TTL', KEYS[1]), 1)
end
redis.call('INCRBY', KEYS[1], ARGV[1])
if used == 0 then
    redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 0
"""


@lru_cache(maxsize=1)
def _redis() -> Any:
    # Short: a counter is not worth waiting for.
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


def _key(name: str, whose: str) -> str:
    digest = hashlib.sha256(whose.encode()).hexdigest()[:32]
    return f"{settings.CACHES['default']['KEY_PREFIX']}:limit:{name}:{digest}"


def take(name: str, whose: str, *, limit: int, amount: int = 1, seconds: int = MINUTE) -> None:
    """Count `amount` of `limit` in the window that began with the first one. limit 0: no limit.

    Raises LimitReached with the seconds until the window ends.
    """
    if limit <= 0:
        return
    try:
        wait = cast(int, _redis().eval(_TAKE, 1, _key(name, whose), max(amount, 0), limit, seconds))
    except RedisError:
        _alarm(name)
        return
    if wait:
        raise LimitReached(f"The limit of {limit:,} in {seconds} seconds is reached; wait {wait} s.", retry_after=wait)


def is_first(name: str, whose: str, *, seconds: int) -> bool:
    """Whether this is the first time in the window; True when the counter cannot be reached."""
    try:
        return bool(_redis().set(_key(name, whose), 1, nx=True, ex=seconds))
    except RedisError:
        _alarm(name)
        return True


class _Alarm:
    """When the last loud line was written; one process writes one a minute."""

    at = -float(MINUTE)


def _alarm(name: str) -> None:
    now = time.monotonic()
    if now - _Alarm.at >= MINUTE:
        _Alarm.at = now
        logger.critical("Redis cannot be reached: the limit %s is not enforced", name)


def take_call(token: ApiToken) -> None:
    """One call with this token, refused ones included. Raises LimitReached."""
    take("token", str(token.pk), limit=settings.TOKEN_REQUESTS_PER_MINUTE)


def take_ingest(project: Project, *, n_bytes: int) -> None:
    """A body for this project. n_bytes: as announced, 0 when it is streamed.

    Its records are counted afterwards (`count_records`): the body that passes the limit lands, the next one is refused.
    Raises LimitReached.
    """
    whose = str(project.pk)
    take("ingest-records", whose, limit=settings.INGEST_RECORDS_PER_MINUTE, amount=0)
    take("ingest-bytes", whose, limit=settings.INGEST_BYTES_PER_MINUTE, amount=n_bytes)


def count_records(project: Project, n_records: int) -> None:
    """What a body held, rejected records included."""
    take("ingest-records", str(project.pk), limit=_COUNT_ONLY, amount=n_records)
