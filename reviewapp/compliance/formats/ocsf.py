"""The Open Cybersecurity Schema Framework: one JSON object a line. Source: schema.ocsf.io, version `VERSION`.

Classes: Account Change 3001, Authentication 3002, Entity Management 3004, API Activity 6003; which event is which is
said in `compliance.vocabulary`. What the schema has no field for is in `unmapped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from reviewapp.audit.models import Event
from reviewapp.audit.services import APP_VERSION
from reviewapp.compliance.formats.jsonl import text
from reviewapp.compliance.selectors import shown_event
from reviewapp.compliance.vocabulary import Ocsf, entry_of, meaning_of

VERSION = "1.5.0"
# class: (class_uid, category_uid, category_name)
CLASSES: dict[Ocsf, tuple[int, int, str]] = {
    Ocsf.ACCOUNT_CHANGE: (3001, 3, "Identity & Access Management"),
    Ocsf.AUTHENTICATION: (3002, 3, "Identity & Access Management"),
    Ocsf.ENTITY_MANAGEMENT: (3004, 3, "Identity & Access Management"),
    Ocsf.API_ACTIVITY: (6003, 6, "Application Activity"),
}
_CRUD = {1: "Create", 2: "Read", 3: "Update", 4: "Delete", 99: "Other"}
ACTIVITIES: dict[Ocsf, dict[int, str]] = {
    Ocsf.ACCOUNT_CHANGE: {
        1: "Create", 2: "Enable", 3: "Password Change", 4: "Password Reset", 5: "Disable", 6: "Delete",
        7: "Attach Policy", 8: "Detach Policy", 9: "Lock", 10: "MFA Factor Enable", 11: "MFA Factor Disable",
        12: "Unlock", 99: "Other",
    },
    Ocsf.AUTHENTICATION: {1: "Logon", 2: "Logoff", 99: "Other"},
    Ocsf.ENTITY_MANAGEMENT: _CRUD,
    Ocsf.API_ACTIVITY: _CRUD,
}  # fmt: skip
_STATUS = {"success": (1, "Success"), "denied": (2, "Failure"), "error": (2, "Failure")}
# 1 Informational; a refusal is 2 Low, because one alone is usually a mistake; a fault of ours is 3 Medium.
_SEVERITY = {"success": (1, "Informational"), "denied": (2, "Low"), "error": (3, "Medium")}
_PRODUCT = {"name": "reviewapp", "vendor_name": "reviewapp", "version": APP_VERSION}
_ACTOR_TYPES = {"user": (1, "User"), "token": (4, "Service"), "system": (3, "System")}
_MAPPED = frozenset({"actor_name", "source_ip", "user_agent", "reason"})


def ocsf_lines(events: Iterable[Event]) -> Iterator[str]:
    """One line an event, ending in a newline."""
    for event in events:
        yield text(ocsf_event(event)) + "\n"


def ocsf_event(event: Event) -> dict[str, Any]:
    """One event as an object of its class. `time` is milliseconds since 1970."""
    shown = shown_event(event)
    entry = entry_of(event.event)
    class_uid, category_uid, category = CLASSES[entry.ocsf]
    said = shown["payload"] or {}
    actor = _actor(event, shown)
    return {
        "activity_id": entry.activity,
        "activity_name": ACTIVITIES[entry.ocsf][entry.activity],
        "category_uid": category_uid,
        "category_name": category,
        "class_uid": class_uid,
        "class_name": entry.ocsf.value,
        "type_uid": class_uid * 100 + entry.activity,
        "type_name": f"{entry.ocsf.value}: {ACTIVITIES[entry.ocsf][entry.activity]}",
        "time": int(event.at.timestamp() * 1000),
        **dict(zip(("severity_id", "severity"), _SEVERITY[event.outcome], strict=True)),
        **dict(zip(("status_id", "status"), _STATUS[event.outcome], strict=True)),
        **({"status_detail": said["reason"]} if said.get("reason") else {}),
        "message": meaning_of(event.event),
        "metadata": _metadata(shown),
        "actor": {"user": actor},
        "src_endpoint": {"ip": said["source_ip"]} if said.get("source_ip") else {"svc_name": "reviewapp"},
        **({"http_request": {"user_agent": said["user_agent"]}} if said.get("user_agent") else {}),
        **_of_class(entry.ocsf, actor, shown),
        "unmapped": _unmapped(shown, said),
    }


def _metadata(shown: dict[str, Any]) -> dict[str, Any]:
    found = {
        "version": VERSION,
        "uid": shown["id"],
        "event_code": shown["event"],
        "log_name": "audit",
        "product": _PRODUCT,
    }
    if shown["request_id"]:
        found["correlation_uid"] = shown["request_id"]
    if shown["leaf_index"] is not None:
        found["sequence"] = shown["leaf_index"]
    if shown["project"]:
        found["tenant_uid"] = shown["project"]
    return found


def _actor(event: Event, shown: dict[str, Any]) -> dict[str, Any]:
    type_id, kind = _ACTOR_TYPES[event.actor_kind]
    return {"name": shown["actor"], "uid": event.actor, "type_id": type_id, "type": kind}


def _of_class(ocsf: Ocsf, actor: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """What the class requires beside the base: whose account, which entity, which call."""
    if ocsf is Ocsf.AUTHENTICATION:
        return {"user": actor}
    if ocsf is Ocsf.ACCOUNT_CHANGE:
        return {"user": {"uid": shown["object"]}}
    if ocsf is Ocsf.ENTITY_MANAGEMENT:
        return {"entity": {"type": shown["object_kind"], "uid": shown["object"]}}
    resource = {"type": shown["object_kind"], "uid": shown["object"]}
    return {"api": {"operation": shown["event"]}, "resources": [resource]}


def _unmapped(shown: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    return {
        "actor_kind": shown["actor_kind"],
        "object_kind": shown["object_kind"],
        "object": shown["object"],
        "outcome": shown["outcome"],
        "leaf_hash": shown["leaf_hash"],
        "payload_commitment": shown["payload_commitment"],
        "is_payload_erased": shown["payload"] is None,
        **{key: value for key, value in said.items() if key not in _MAPPED},
    }
