"""Names of what is kept in Redis for a while: digests, because the names themselves hold addresses of people."""

from __future__ import annotations

import hmac

from django.conf import settings


def keyed(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION. Keyed: all addresses of the world can be tried against a plain hash in a minute."""
    digest = hmac.new(settings.SECRET_KEY.encode(), key.encode(), "sha256").hexdigest()[:40]
    return f"{key_prefix}:{version}:{digest}"
