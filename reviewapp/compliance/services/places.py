"""The places outside the database that signed heads go to: a folder, a webhook, a mailbox. Witnesses are next door."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import send_mail

from reviewapp.audit.keys import write_whole
from reviewapp.audit.models import Checkpoint
from reviewapp.audit.notes import MalformedNote, read_note
from reviewapp.lib import outbound
from reviewapp.lib.clock import rfc3339
from reviewapp.lib.errors import DomainError

DAY_MINUTES = 24 * 60


class NotPublished(Exception):
    """The head did not reach its place. `detail` is a sentence of ours for the auditor's page."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Place(Protocol):
    """Where heads go. `minutes`: at least so long between two; `target`: its name on pages, without secrets."""

    @property
    def rung(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def minutes(self) -> int: ...

    def send(self, head: Checkpoint, *, known_size: int) -> None:
        """Bring the head there. known_size: of the last one that reached the place, 0 before. Raises NotPublished."""


@dataclass(frozen=True)
class Folder:
    """One file per head, `<size>.txt`, and `newest.txt`, the last of them again.

    It may be a mounted bucket: nothing is asked of it but to read, to write and to rename, and never a listing, which
    would grow with the years.
    """

    path: Path
    rung = "file"
    minutes = 0

    @property
    def target(self) -> str:
        """The folder."""
        return str(self.path)

    def send(self, head: Checkpoint, *, known_size: int) -> None:
        """Whole or not at all, and never over another one: what lies here is what the log is held against."""
        try:
            self._send(head)
        except (MalformedNote, UnicodeDecodeError) as error:
            raise NotPublished("newest.txt in the folder is not a signed head.") from error
        except OSError as error:
            raise NotPublished(f"The file could not be written: {error.strerror or error}.") from error

    def _send(self, head: Checkpoint) -> None:
        newest = self.path / "newest.txt"
        lies_here = read_note(newest.read_text(encoding="utf-8")).size if newest.exists() else 0
        if lies_here > head.size:
            raise NotPublished(
                f"A head over {lies_here} events lies here, the log has {head.size}: it was set back to an older day."
            )
        final = self.path / f"{head.size}.txt"
        if final.exists():
            if final.read_text(encoding="utf-8") != head.note:
                raise NotPublished(f"Another head over {head.size} events lies here: the log was written anew.")
            return
        write_whole(final, head.note)
        write_whole(newest, head.note)


@dataclass(frozen=True)
class Webhook:
    """A signed POST. Source: Standard Webhooks 1.0 (HMAC-SHA-256 over id, time and body)."""

    url: str
    secret: str
    minutes: int
    rung = "webhook"

    @property
    def target(self) -> str:
        """Scheme and host: the path of a webhook is often its password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def send(self, head: Checkpoint, *, known_size: int) -> None:
        """Any 2xx answer means that it arrived."""
        body = json.dumps(
            {"type": "audit.checkpoint", "timestamp": rfc3339(head.at), "data": shown_head(head)}
        ).encode()
        # The same head has the same id whenever it is sent, so a receiver can drop the second.
        name = hashlib.sha256(f"{settings.LOG_ORIGIN} {head.size}".encode()).hexdigest()[:32]
        answer = post(self.url, body, {"Content-Type": "application/json", **self._signed(f"msg_{name}", body)})
        if not 200 <= answer.status < 300:
            raise NotPublished(f"The receiver answered with status {answer.status}.")

    def _signed(self, name: str, body: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        try:
            secret = base64.b64decode(self.secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) < 24:
            raise NotPublished("Set REVIEWAPP_CHECKPOINT_WEBHOOK_SECRET to whsec_ and 24 to 64 random bytes in base64.")
        mac = hmac.new(secret, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
        return {
            "webhook-id": name,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }


@dataclass(frozen=True)
class Mail:
    """A mail with the note in it, once a day."""

    addresses: tuple[str, ...]
    rung = "mail"
    minutes = DAY_MINUTES

    @property
    def target(self) -> str:
        """The addresses."""
        return ", ".join(self.addresses)

    def send(self, head: Checkpoint, *, known_size: int) -> None:
        """Over Django's mail (EMAIL_URL)."""
        text = (
            f"The audit log {settings.LOG_ORIGIN} had {head.size} events at {rfc3339(head.at)}.\n"
            "Keep this mail. The lines below are a signed head of the log: saved as a file, it is what\n"
            "`verify.py --known FILE` and `manage.py verify_audit --known FILE` hold a later log against.\n\n"
            f"{head.note}"
        )
        try:
            send_mail(f"Audit log: signed head over {head.size} events", text, None, list(self.addresses))
        except OSError as error:  # every error of smtplib is one
            raise NotPublished("The mail server did not take the mail.") from error


def shown_head(head: Checkpoint) -> dict[str, str | int]:
    """A head for programs."""
    return {"origin": settings.LOG_ORIGIN, "size": head.size, "root": bytes(head.root).hex(), "note": head.note}


def post(url: str, body: bytes, headers: dict[str, str]) -> outbound.Answer:
    """One POST over the outbound client to a host that WEBHOOK_ALLOWED_HOSTS lists. Raises NotPublished."""
    try:
        destination = outbound.checked_destination(
            url,
            allowed_hosts=settings.WEBHOOK_ALLOWED_HOSTS,
            allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK,
        )
        return outbound.post(destination, body, headers)
    except outbound.NoAnswer as error:
        raise NotPublished(error.detail) from error
    except DomainError as error:
        raise NotPublished(f"{error.detail} (WEBHOOK_ALLOWED_HOSTS)") from error
