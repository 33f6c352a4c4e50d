"""What the process is told from outside. Every variable is read here, once, and nowhere else.

Start-up fails without `DJANGO_SECRET_KEY` of 50 characters or more: a default key is a published key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("REVIEWAPP_VAR", default=str(BASE_DIR / "var")))
IS_DEMO: bool = env.bool("REVIEWAPP_DEMO", default=False)
DATABASE_ROLE: str = env.str("DATABASE_ROLE", default="app")
ROLE_URLS = {"app": "DATABASE_URL", "owner": "DATABASE_OWNER_URL", "sequencer": "DATABASE_SEQUENCER_URL"}


def second_factor_roles() -> frozenset[str]:
    """Roles whose holders must set up a second factor. Raises ImproperlyConfigured for a word that is no role."""
    roles = frozenset(name.strip() for name in env.list("REVIEWAPP_SECOND_FACTOR_ROLES", default=[]) if name.strip())
    unknown = roles - {"admin", "manager", "auditor", "reviewer", "adjudicator"}
    if unknown:
        raise ImproperlyConfigured(f"REVIEWAPP_SECOND_FACTOR_ROLES names no role: {', '.join(sorted(unknown))}.")
    return roles


def folder(name: str, default: Path) -> Path:
    """A folder named by a variable."""
    return Path(env.str(name, default=str(default)))


def secret_key() -> str:
    """The signing key. Raises ImproperlyConfigured when it is missing or short."""
    key: str = env.str("DJANGO_SECRET_KEY", default="")
    if len(key) < 50:
        raise ImproperlyConfigured(
            "Set DJANGO_SECRET_KEY to at least 50 random characters, for example: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return key


def database_url(role: str) -> str:
    """The connection text of a role; the app's own when the role has none ("append-only by trigger only")."""
    url: str = env.str(ROLE_URLS[role], default="") or env.str("DATABASE_URL", default="")
    if not url:
        raise ImproperlyConfigured(
            "Set DATABASE_URL (PostgreSQL 15 or newer), or start through `make demo` or `make test`, "
            "which bring a server of their own."
        )
    return url


def parse_database(url: str) -> dict[str, Any]:
    """Django's connection settings from `postgresql://user:password@host:port/name?host=/socket/dir&sslmode=…`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://; no other database is supported.")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", None) or unquote(parts.hostname or "")
    port = query.pop("port", None) or (str(parts.port) if parts.port else "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "reviewapp",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": query,
    }


def database_user(role: str) -> str:
    """The login role behind a URL, "" when the role has no URL of its own."""
    return str(parse_database(url)["USER"]) if (url := env.str(ROLE_URLS[role], default="")) else ""


def redis_url() -> str:
    """Where Redis is: `redis://host:6379/0`, `rediss://…` or `unix:///path/to/socket?db=0`."""
    url: str = env.str("REDIS_URL", default="")
    if not url:
        raise ImproperlyConfigured("Set REDIS_URL (Redis 6.2 or newer, Valkey), or start through `make demo`.")
    return url


def broker_url() -> str:
    """The same server in Celery's spelling of a socket."""
    url = redis_url()
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    number = parse_qs(query).get("db", ["0"])[-1]
    return f"redis+socket://{path}?virtual_host={number}"


@dataclass(frozen=True)
class Publishing:
    """Where signed heads of the log go, outside the database. What is empty is off."""

    folder: Path | None  # one file per head; may be a mounted bucket
    webhook: str
    webhook_secret: str = field(repr=False)
    webhook_minutes: int
    mail: tuple[str, ...]  # addresses, once a day
    witnesses: tuple[str, ...]  # each `https://host/prefix` and the witness's verifier key, with a space between
    witness_minutes: int


def publishing() -> Publishing:
    """The REVIEWAPP_CHECKPOINT_ and REVIEWAPP_WITNESS variables."""
    named = env.str("REVIEWAPP_CHECKPOINT_DIR", default="")
    return Publishing(
        folder=Path(named) if named else None,
        webhook=env.str("REVIEWAPP_CHECKPOINT_WEBHOOK", default=""),
        webhook_secret=env.str("REVIEWAPP_CHECKPOINT_WEBHOOK_SECRET", default=""),
        webhook_minutes=env.int("REVIEWAPP_CHECKPOINT_WEBHOOK_MINUTES", default=24 * 60),
        mail=tuple(env.list("REVIEWAPP_CHECKPOINT_MAIL", default=[])),
        witnesses=tuple(entry.strip() for entry in env.list("REVIEWAPP_WITNESSES", default=[])),
        witness_minutes=env.int("REVIEWAPP_WITNESS_MINUTES", default=5),
    )


@dataclass(frozen=True)
class OpenIdConnect:
    """The identity provider of this installation. `access/oidc` says what each choice means."""

    server: str  # the issuer, as it writes itself
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "single sign-on"  # on the button
    hosts: tuple[str, ...] = ()  # besides the server's own, where it keeps its keys and tokens
    email_domains: frozenset[str] = frozenset()
    groups_claim: str = "groups"
    creates_accounts: bool = False
    links_by_email: bool = False
    allow_loopback: bool = False


def openid_connect(*, is_test: bool) -> OpenIdConnect | None:
    """None without REVIEWAPP_OIDC_SERVER. Raises ImproperlyConfigured for half a configuration."""
    server: str = env.str("REVIEWAPP_OIDC_SERVER", default="")
    if not server:
        return None
    found = OpenIdConnect(
        server=server,
        client_id=env.str("REVIEWAPP_OIDC_CLIENT_ID", default=""),
        client_secret=env.str("REVIEWAPP_OIDC_CLIENT_SECRET", default=""),
        name=env.str("REVIEWAPP_OIDC_NAME", default="single sign-on"),
        hosts=tuple(env.list("REVIEWAPP_OIDC_HOSTS", default=[])),
        email_domains=frozenset(name.lower() for name in env.list("REVIEWAPP_OIDC_ALLOWED_EMAIL_DOMAINS", default=[])),
        groups_claim=env.str("REVIEWAPP_OIDC_GROUPS_CLAIM", default="groups"),
        creates_accounts=env.bool("REVIEWAPP_OIDC_CREATES_ACCOUNTS", default=False),
        links_by_email=env.bool("REVIEWAPP_OIDC_LINKS_BY_EMAIL", default=False),
        allow_loopback=env.bool("REVIEWAPP_OIDC_ALLOW_LOOPBACK", default=is_test),
    )
    if not found.client_id or not found.client_secret:
        raise ImproperlyConfigured("Set REVIEWAPP_OIDC_CLIENT_ID and REVIEWAPP_OIDC_CLIENT_SECRET too.")
    if len(server) > 200:
        raise ImproperlyConfigured("REVIEWAPP_OIDC_SERVER may have 200 characters.")
    if (found.creates_accounts or found.links_by_email) and not found.email_domains:
        raise ImproperlyConfigured(
            "Set REVIEWAPP_OIDC_ALLOWED_EMAIL_DOMAINS: without it no mail makes or links an account."
        )
    return found
