"""Who the ID token says it is, after every check that OpenID Connect Core 1.0, section 3.1.3.7 asks for.

Stricter than the standard in four points: the signature is always checked, only asymmetric algorithms are known, the
audience is this client alone, and `sub` is printable ASCII.
"""

from __future__ import annotations

import hmac
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from config.env import OpenIdConnect
from reviewapp.access.oidc.errors import SignInRefused

# algorithm -> key type. No `none`, no HS*: with a shared secret the client could be tricked with its own.
ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
LEEWAY = 30  # seconds
MAX_AGE = 600  # seconds since `iat`: the code was redeemed a moment ago
MAX_TOKEN = 64 * 1024
MAX_GROUPS = 1000
MIN_RSA_BITS = 2048
SUBJECT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,189}[\x21-\x7e])?")
EMAIL = re.compile(r"[a-z0-9._%+'-]{1,64}@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+)")
Keys = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class Identity:
    """What a checked ID token says. (issuer, subject) is who; the rest is said about them."""

    issuer: str
    subject: str
    email: str  # "" unless it is an address, lower case
    is_email_verified: bool
    name: str
    groups: frozenset[str]
    is_multi_factor: bool
    authenticated_at: float | None  # seconds since 1970, when the provider says so

    def is_of_domain(self, domains: frozenset[str]) -> bool:
        """Whether the provider vouches for an address of one of these domains."""
        return self.is_email_verified and self.email.rpartition("@")[2] in domains


def identity_of(token: Any, *, oidc: OpenIdConnect, nonce: str, keys: Keys) -> Identity:
    """keys: `wire.signing_keys`. Raises SignInRefused with the reason as its code."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN:
        raise SignInRefused("no_id_token")
    claims = _claims(token, oidc, keys)
    _check_audience(claims, oidc.client_id)
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise SignInRefused("wrong_nonce")
    if time.time() - int(claims["iat"]) > MAX_AGE + LEEWAY:
        raise SignInRefused("issued_too_long_ago")
    subject = claims["sub"]
    if not SUBJECT.fullmatch(subject):
        raise SignInRefused("unusable_sub")
    email = _text(claims.get("email"), 254).lower()
    methods = claims.get("amr")
    return Identity(
        issuer=oidc.server,
        subject=subject,
        email=email if EMAIL.fullmatch(email) else "",
        is_email_verified=claims.get("email_verified") is True,
        name=_text(claims.get("name"), 200),
        groups=_groups(claims.get(oidc.groups_claim)),
        is_multi_factor=isinstance(methods, list) and "mfa" in methods,
        authenticated_at=_seconds(claims.get("auth_time")),
    )


def _claims(token: str, oidc: OpenIdConnect, keys: Keys) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SignInRefused("unreadable_id_token") from error
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise SignInRefused("algorithm_refused")
    if "crit" in header:
        raise SignInRefused("unknown_critical_header")
    try:
        return jwt.decode(
            token,
            key=_key(header, keys),
            algorithms=[algorithm],
            audience=oidc.client_id,
            issuer=oidc.server,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
        raise SignInRefused(_REASONS.get(type(error), "unreadable_id_token")) from error


_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "not_valid_yet",
    jwt.InvalidAudienceError: "wrong_audience",
    jwt.InvalidIssuerError: "wrong_issuer",
    jwt.InvalidSignatureError: "wrong_signature",
    jwt.MissingRequiredClaimError: "claim_missing",
}


def _key(header: dict[str, Any], keys: Keys) -> Any:
    """The one key that may have signed: of the right type, for signing, named by `kid` where there are several."""
    found = _matching(header, keys()) or _matching(header, keys(fresh=True))
    if len(found) != 1:
        raise SignInRefused("unknown_key")
    try:
        key = jwt.PyJWK.from_dict(found[0], algorithm=header["alg"]).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise SignInRefused("unreadable_key") from error
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise SignInRefused("weak_key")
    return key


def _matching(header: dict[str, Any], keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    algorithm, name = header["alg"], header.get("kid")
    return [
        key
        for key in keys
        if key.get("kty") == ALGORITHMS[algorithm]
        and key.get("use", "sig") == "sig"
        and "d" not in key
        and key.get("alg", algorithm) == algorithm
        and (name is None or key.get("kid") == name)
    ]


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    # A token that is also meant for another client could be replayed by it.
    if claims["aud"] not in (client_id, [client_id]) or claims.get("azp", client_id) != client_id:
        raise SignInRefused("wrong_audience")


def _text(value: Any, longest: int) -> str:
    """One line of text without control and format characters, or ""."""
    if not isinstance(value, str):
        return ""
    shown = "".join(character for character in value[: longest * 4] if unicodedata.category(character)[0] != "C")
    return " ".join(shown.split())[:longest]


def _groups(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(group for group in value[:MAX_GROUPS] if isinstance(group, str) and _text(group, 200) == group)


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
