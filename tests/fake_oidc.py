"""An identity provider on loopback that answers rightly, and wrongly wherever a test says so. Nothing is mocked.

Right by default: discovery, code bound to redirect address, PKCE and client secret, RS256 ID tokens, keys.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT_ID = "reviewapp"
CLIENT_SECRET = "a client secret of more than thirty-two bytes"


@cache
def rsa_key(name: str = "first", bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key per name, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key for ES256."""
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    """As the provider publishes it."""
    made = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(made.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


Sign = Callable[[dict[str, Any]], str]


def signed_by(key: Any, *, alg: str = "RS256", kid: str | None = "first", **header: Any) -> Sign:
    """A way to sign."""
    headers = {**({"kid": kid} if kid else {}), **header}
    return lambda claims: jwt.encode(claims, key, algorithm=alg, headers=headers)


class FakeProvider:
    """`claims`, `sign`, `keys`, `description` and `answers` (path -> (status, headers, body, seconds)) bend it.

    `paths` holds every path that was asked.
    """

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.sign: Sign = signed_by(rsa_key())
        self.keys: list[dict[str, Any]] = [public_jwk(rsa_key(), "first")]
        self.description: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, dict[str, str], bytes, float]] = {}
        self.tokens: dict[str, Any] = {}
        self.paths: list[str] = []
        self.asked: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._serve(self, b"")

            def do_POST(self) -> None:
                fake._serve(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that gave up is expected
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def issuer(self) -> str:
        """Its address and its name."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def code_for(self, address: str) -> tuple[str, str]:
        """What a person does there: agree. Answers code and state for the address that the browser was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(16)
        self.asked.append(asked)
        self._codes[code] = asked
        return code, asked["state"]

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(handler.path).path
        self.paths.append(path)
        status, headers, payload, seconds = self.answers.get(path) or self._right_answer(path, handler, body)
        time.sleep(seconds)
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(payload)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload)

    def _right_answer(
        self, path: str, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes, float]:
        if path == "/authorize":
            code, state = self.code_for(handler.path)
            target = f"{self.asked[-1]['redirect_uri']}?{urlencode({'code': code, 'state': state})}"
            return 302, {"Location": target}, b"", 0
        found = {
            "/.well-known/openid-configuration": self._description,
            "/jwks": lambda: {"keys": self.keys},
            "/token": lambda: self._token(body),
        }.get(path, lambda: None)()
        return (200 if found else 400), {}, json.dumps(found or {"error": "invalid_grant"}).encode(), 0

    def _description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.description,
        }

    def _token(self, body: bytes) -> dict[str, Any] | None:
        sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        asked = self._codes.pop(sent.get("code", ""), None)
        verifier = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        is_right = (
            asked is not None
            and asked["code_challenge_method"] == "S256"
            and (asked["code_challenge"], asked["redirect_uri"]) == (challenge, sent.get("redirect_uri"))
            and (sent.get("client_id"), sent.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        )
        if not is_right or asked is None:
            return None
        now = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "s-1", "iat": now, "exp": now + 300}
        claims = {**right, "nonce": asked["nonce"], **self.claims}
        claims = {name: value for name, value in claims.items() if value is not ...}
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(claims), **self.tokens}

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


@contextmanager
def fake_oidc() -> Iterator[FakeProvider]:
    """A provider for one block."""
    provider = FakeProvider()
    try:
        yield provider
    finally:
        provider.close()
