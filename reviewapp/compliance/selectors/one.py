"""One event as an auditor reads it: the sentence, what changed, where it stands in the log."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from reviewapp.audit.bundle import read_leaf_hashes
from reviewapp.audit.merkle import Tree
from reviewapp.audit.models import Checkpoint, Event
from reviewapp.compliance.differences import Difference, difference
from reviewapp.compliance.selectors.events import shown_event, shown_events
from reviewapp.compliance.selectors.names import address_parts, titles, word_for
from reviewapp.compliance.sentences import sentence, wanted_names, words_of
from reviewapp.lib.errors import Conflict

# Payload entries that the page shows in places of their own.
_APART = frozenset({"before", "after", "reason", "actor_name", "source_ip", "user_agent", "session", "second_factor"})


@dataclass(frozen=True)
class Reading:
    """Everything that the page of one event says.

    shown: API.md's audit event. env: the canonical text that the leaf hash covers. head: the first signed head that
    covers the event. actor_roles: what the actor held then, according to this log. more: the rest of the payload.
    """

    event: Event
    shown: dict[str, Any]
    env: dict[str, Any]
    sentence: str
    changed: Difference
    more: list[tuple[str, Any]]
    head: Checkpoint | None
    actor_roles: list[str]
    object_name: str | None
    object_word: str
    object_address: tuple[str, Any] | None

    @property
    def token_prefix(self) -> str | None:
        """The public part of the token that was used."""
        found = self.env["actor"].get("token_prefix")
        return str(found) if found else None


def reading_of(event: Event) -> Reading:
    """Read anew; about eight statements."""
    (shown,) = shown_events([event])
    said = shown["payload"] or {}
    names = titles(wanted_names(shown))
    roles = roles_then(event)
    called = actor_called(shown) + (f" ({', '.join(roles)})" if roles else "")
    kind, pk = shown["object_kind"], shown["object"]
    return Reading(
        event=event,
        shown=shown,
        env=json.loads(event.env),
        sentence=sentence(shown, actor=called, words=words_of(shown, names, {kind: word_for(kind)})),
        changed=difference(said.get("before"), said.get("after")),
        more=[(key.replace("_", " "), _readable(value)) for key, value in said.items() if key not in _APART],
        head=head_over(event),
        actor_roles=roles,
        object_name=names.get((kind, pk)),
        object_word=word_for(kind),
        object_address=address_parts(kind, pk),
    )


def actor_called(shown: dict[str, Any]) -> str:
    """How the one who acted is called in a sentence."""
    if shown["actor_kind"] == "system":
        return f"The {shown['actor']} process" if shown["actor"] != "reviewapp" else "The system itself"
    if shown["actor"] == "anonymous":
        return "Somebody who was not signed in"
    name = shown["actor"] if len(shown["actor"]) < 36 or shown["payload"] else f"Person {shown['actor'][:8]}…"
    return f"A program with a token of {name}" if shown["actor_kind"] == "token" else str(name)


def roles_then(event: Event) -> list[str]:
    """The roles that the actor held when they acted, in the event's project or for the installation.

    Replayed from the grants and revocations that this log holds; a grant whose payload was erased is not known.
    """
    if event.actor_kind == "system" or event.actor == "anonymous":
        return []
    told = Event.objects.filter(
        object_kind="user",
        object=event.actor,
        id__lt=event.pk,
        event__in=("access.role_granted", "access.role_revoked"),
    )
    held: dict[tuple[str, str], str] = {}
    for one in told.select_related("payload").order_by("id"):
        after = (shown_event(one)["payload"] or {}).get("after") or {}
        place = (str(after.get("role")), str(after.get("id", "")))
        is_here = after.get("on") == "installation" or one.project == event.project
        if one.event == "access.role_revoked":
            held.pop(place, None)
        elif is_here and after.get("role"):
            held[place] = str(after["role"])
    return sorted(set(held.values()))


def head_over(event: Event) -> Checkpoint | None:
    """The first signed head that covers the event, None while it waits."""
    leaf = getattr(event, "leaf", None)
    return Checkpoint.objects.filter(size__gt=leaf.idx).order_by("size").first() if leaf else None


def proof_of(event: Event) -> dict[str, Any]:
    """What an outsider needs to check, without us, that this event stands in the signed log (RFC 6962, 2.1.1).

    leaf_hash = SHA-256(0x00 || env); the path leads from it to the root in the note. Raises Conflict before there is
    a signed head over it.
    """
    head = head_over(event)
    if head is None:
        raise Conflict("No signed head covers this event yet; the next one comes within seconds. Try again then.")
    leaf = event.leaf
    path = Tree(head.size, read_leaf_hashes).inclusion(leaf.idx)
    payload = getattr(event, "payload", None)
    lines = head.cosignatures.order_by("witness").values_list("line", flat=True)
    return {
        "origin": settings.LOG_ORIGIN,
        "env": event.env,
        "salt": bytes(payload.salt).hex() if payload else None,
        "data": payload.data if payload else None,
        "leaf_index": leaf.idx,
        "leaf_hash": bytes(leaf.hash).hex(),
        "tree_size": head.size,
        "root": base64.b64encode(bytes(head.root)).decode(),
        "path": [step.hex() for step in path],
        "checkpoint": head.note + "".join(f"{line}\n" for line in lines),
    }


def _readable(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {one}" for key, one in value.items()) or "none"
    return str(value)
