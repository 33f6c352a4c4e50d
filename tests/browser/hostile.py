"""Forty texts that want to be more than text, and a project in which every field is made of them.

A text that came alive would call `hit`, ask for an address with `hostile` in it, or leave an element whose id says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.groups import grant_group_role
from reviewapp.access.invitations import invite_user
from reviewapp.access.matrix import Role
from reviewapp.access.services import create_project, create_user, grant_installation_role, grant_role
from reviewapp.access.tokens import create_personal_token
from reviewapp.compliance.services.erasures import request_erasure, request_person_erasure
from reviewapp.exports.services.building import build_version, open_version_ids
from reviewapp.grading.services import AnswerIn, save_draft, submit_once
from reviewapp.queues.models import Queue
from reviewapp.queues.services import lease_next
from tests.conftest import PASSWORD, Api, Cast, service_api
from tests.judge.arrange import ok

CORPUS: dict[str, str] = {
    "script": "<script>hit(1)</script>",
    "script end": "</script><script>hit(2)</script>",
    "title end": "</title></textarea></style><script>hit(3)</script>",
    "attribute end": "\"'><script>hit(4)</script>",
    "attribute event": '" autofocus onfocus="hit(5)" x="',
    "unquoted event": "x onmouseover=hit(6) id=hostile",
    "img onerror": "<img id=hostile src=/hostile/7 onerror=hit(7)>",
    "svg onload": "<svg id=hostile onload=hit(8)>",
    "svg script": "<svg><script href=/hostile/9.js></script></svg>",
    "svg animate": "<svg><a><animate attributeName=href values=javascript:hit(10) /><text y=9>x</text></a></svg>",
    "details": "<details id=hostile open ontoggle=hit(11)>",
    "javascript link": '<a id=hostile href="javascript:hit(12)">x</a>',
    "data link": '<a id=hostile href="data:text/html,<script>hit(13)</script>">x</a>',
    "hx-get load": "<a id=hostile hx-get=/hostile/14 hx-trigger=load>x</a>",
    "data-hx": "<b id=hostile data-hx-post=/hostile/15 data-hx-trigger='every 1s'>x</b>",
    "hx-on": "<div id=hostile hx-on::load=hit(16) hx-on:htmx:load=hit(16)>x</div>",
    "hx-vals": "<i id=hostile hx-get=/hostile/17 hx-vals='js:{a:hit(17)}' hx-trigger=revealed>x</i>",
    "form": "<form id=hostile action=/hostile/18><button autofocus>x</button></form>",
    "button form": "<button id=hostile form=card formaction=/hostile/19>x</button>",
    "iframe": "<iframe id=hostile src=/hostile/20></iframe>",
    "srcdoc": '<iframe id=hostile srcdoc="<script>parent.hit(21)</script>"></iframe>',
    "object": "<object id=hostile data=/hostile/22></object><embed id=hostile src=/hostile/22>",
    "base": "<base id=hostile href=//hostile.example/23/>",
    "refresh": '<meta id=hostile http-equiv=refresh content="0;url=/hostile/24">',
    "link": "<link id=hostile rel=stylesheet href=/hostile/25.css>",
    "style": "<style>@import '/hostile/26.css';*{background:url(/hostile/26)}</style>",
    "style attribute": "<p id=hostile style='background:url(/hostile/27);position:fixed;inset:0'>x</p>",
    "video": "<video id=hostile poster=/hostile/28 src=/hostile/28 autoplay onerror=hit(28)></video>",
    "ping": "<a id=hostile href=/x ping=/hostile/29>x</a>",
    "markdown link": "[x](javascript:hit(30)) [y](data:text/html;base64,PHNjcmlwdD4=) [z](JaVaScRiPt&colon;hit(30))",
    "markdown image": "![x](https://hostile.example/31.png) ![y](/hostile/31)",
    "markdown reference": '[x][1]\n\n[1]: javascript:hit(32) "\'onclick=hit(32)"',
    "markdown autolink": '<javascript:hit(33)> <https://hostile.example/33"onclick=hit(33)>',
    "markdown code": '```"><script>hit(34)</script>\n<img src=/hostile/34>\n```',
    "markdown in link": '[<img src=/hostile/35 onerror=hit(35)>](https://example.org/?">\u202e<script>hit(35)</script>)',
    "mutation": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=hit(36)&gt;">',
    "mutation noscript": '<noscript><p title="</noscript><img src=/hostile/37 onerror=hit(37)>">',
    "namespaces": '<svg><p><style><g title="</style><img src=/hostile/38 onerror=hit(38)>">',
    "entities": "&lt;script&gt;hit(39)&lt;/script&gt; &#60;script&#62;hit(39)&#60;/script&#62;",
    "double encoding": "%3Cscript%3Ehit(40)%3C/script%3E \\u003cscript\\u003ehit(40)\\x3c/script\\x3e",
    "template": "{{7*7}} {% debug %} ${7*7} <%= 7*7 %> #{7*7} {{constructor.constructor('hit(41)')()}}",
    "template javascript": "'-hit(42)-' \"-hit(42)-\" `${hit(42)}` */hit(42)/* \\';hit(42)//",
    "bidi": "abc\u202e)43(tih\u202c \u2066x\u2069 \u200f\u061c",
    "zero width": "pass\u200bword \u200d\ufeff\u2060\u00ad\u180e",
    "separators": "a\u2028b\u2029c\u0085d\x0be\x7ff",
    "lookalikes": "\uff1cscript\uff1ehit(46)\uff1c/script\uff1e \u2039script\u203ahit(46) \u0130\u017f\u212a",
    "half a tag": "<img id=hostile src=/hostile/47 onerror=hit(47) x='",
    "comment": "<!--><script>hit(48)</script>--> <![CDATA[><script>hit(48)</script>]]> <?x ><script>hit(48)</script>?>",
    "newlines in a tag": "<img\nid=hostile\x0csrc=/hostile/49\r\nonerror\n=\nhit(49)>",
    "slashes": "<svg/onload=hit(50)//<img/src=/hostile/50/onerror=hit(50)>",
    "custom element": "<x-y id=hostile tabindex=1 onfocus=hit(51) autofocus><dialog id=hostile open onclose=hit(51)>",
    "template shadow": "<div><template shadowrootmode=open><script>hit(52)</script></template></div>",
}
HUGE = {
    "combining marks": "a" + "\u0301\u0489" * 5_000,
    "unbroken": "x" * 20_000,
    "many tags": "<b><i><a>" * 2_000,
}
EVERYTHING = "\n\n".join(CORPUS.values())


def packs(limit: int, *, printable: bool = False) -> Iterator[str]:
    """The whole corpus in texts of at most `limit` characters, again and again."""
    made, current = [], ""
    for text in CORPUS.values():
        one = "".join(character for character in text if character.isprintable()) if printable else text
        if len(one) > limit:
            continue
        if len(current) + len(one) + 1 > limit:
            made.append(current)
            current = ""
        current = f"{current} {one}".strip()
    return itertools.cycle([*made, current])


long_name, name, short = packs(480), packs(190), packs(95, printable=True)
line = packs(110, printable=True)


def hostile_output(number: int) -> dict[str, Any]:
    """An output in which every text is hostile."""
    text = EVERYTHING if number == 0 else f"{number} {next(long_name)}"
    body = list(HUGE.values())[number - 1] if 1 <= number <= len(HUGE) else text
    messages = [
        {"role": next(short)[:50], "content": body, "name": next(name)},
        {"role": "tool", "content": [{"type": next(name), "text": text, next(short): next(name)}], "tool_call_id": "1"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": next(name), "function": {"name": next(name)}}]},
    ]
    return {
        "external_id": f"h-{number}" if number % 2 else f"h-{number} {next(name)}"[:190],
        "input": messages if number % 2 else f"{body} {text}",
        "output": {"role": "assistant", "content": [{"type": "text", "text": text}]} if number == 5 else text,
        "context": [
            {"id": next(long_name), "text": text, "url": "javascript:hit(60)"},
            {"id": next(long_name), "text": next(long_name), "url": f"https://example.org/{next(short)}"},
        ],
        "steps": [
            {"id": "1", "kind": "llm", "name": next(long_name), "input": {next(name): text}, "output": [text]},
            {"id": next(name), "parent_id": "1", "kind": "tool", "name": next(name), "error": next(long_name)},
        ],
        "configuration": {
            "prompt_name": next(name), "prompt_version": next(name), "model": next(name),
            "parameters": {next(name): next(name)}, "retrieval": {next(name): [next(name)]},
        },
        "error": next(long_name),
        "session_id": next(long_name), "end_user_id": next(long_name), "feature": next(name),
        "guardrails": [
            {
                "name": next(name), "version": next(name), "stage": "output", "action": "flagged",
                "category": next(long_name), "spans": [] if number % 2 or number == 0 else
                [{"field": "output", "start": 0, "end": 9}],
            }
        ],
        "signals": [{"kind": "edit", "value": {next(name): text}}],
        "metadata": {next(name): next(name), "nested": {next(name): [text]}},
    }  # fmt: skip


KEY = "<img src=/hostile/61 onerror=hit(61)>"


def criteria() -> list[dict[str, Any]]:
    """One of every kind, hostile in every word."""

    def levels(*values: Any) -> list[dict[str, Any]]:
        return [{"value": value, "label": next(name), "description": next(long_name)} for value in values]

    words = [next(short) for _ in range(3)]
    kinds = [
        {"key": "correct", "kind": "binary"},
        {"key": KEY, "kind": "ordinal", "levels": levels(1, 2, 3)},
        {"key": "class", "kind": "categorical", "levels": levels(*words), "required": False},
        {"key": "many", "kind": "multiselect", "levels": levels(*words), "required": False},
        {"key": "number", "kind": "numeric", "required": False},
        {"key": "notes", "kind": "text", "required": False},
        {"key": "marks", "kind": "highlight", "levels": levels(*words), "required": False},
    ]
    return [{"title": next(long_name), "help": EVERYTHING[:4_900], **kind} for kind in kinds]


@dataclass(frozen=True)
class HostileHouse:
    """The people, and for every argument of an address the rows worth opening."""

    cast: Cast
    rows: dict[str, list[Any]]


def _cast() -> Cast:
    made = {}
    for one in ("ada", "max", "otto", "rita", "rob", "rosa", "ivy", "nemo"):
        user = create_user(
            actor=SYSTEM, username=one, password=PASSWORD, display_name=next(name), email=f"{one}@example.org"
        )
        made[one] = Actor(user=user)
    project = create_project(actor=SYSTEM, slug="thorn", title=next(name))
    grant_installation_role(actor=SYSTEM, user=made["ada"].person, role=Role.ADMIN)
    grant_installation_role(actor=SYSTEM, user=made["otto"].person, role=Role.AUDITOR)
    for one, role in (("ada", Role.ADMIN), ("max", Role.MANAGER), ("otto", Role.AUDITOR)):
        grant_role(actor=SYSTEM, user=made[one].person, role=role, target=project, reason=EVERYTHING)
    return Cast(project=project, **made)


def hostile_house() -> HostileHouse:
    """Everything, through the services and the API, in the database of the test."""
    cast = _cast()
    api = service_api(cast)
    outputs = [hostile_output(number) for number in range(6)]
    rules = {"slug": "some", "rate": 0.5, "where": {"feature": next(name)}}
    ok(api.post("rules/", rules))
    ok(api.bulk("outputs/", outputs))
    ids = [one["external_id"] for one in outputs]
    ok(api.bulk("signals/", [{"external_id": one, "kind": "edit", "value": next(long_name)} for one in ids]))
    answer = {key: value for key, value in outputs[0].items() if key not in ("external_id", "input")}
    pair = next(name)
    ok(api.bulk("pairs/", [{"external_id": pair, "input": EVERYTHING, "a": answer, "b": {**answer, "output": "b"}}]))
    _queues(api, ids, pair)
    for kind in ("answers", "hits", "pairs"):
        cast.reviewers(Queue.objects.get(project=cast.project, slug=kind))
    _reviews(cast, api, ids)
    rows = _judges_and_datasets(cast, api, ids)
    create_personal_token(actor=cast.rita, name=next(name), scopes=["review"])
    odd = create_user(actor=SYSTEM, username=next(short).replace(":", ";"), password=PASSWORD, display_name=next(name))
    for group in (next(line), next(line)):
        grant_group_role(
            actor=cast.ada, issuer="https://login.example", name=" ".join(group.split()), role=Role.AUDITOR,
            target=cast.project, reason=EVERYTHING,
        )  # fmt: skip
    invited = invite_user(
        actor=cast.ada,
        username=next(short).replace(":", ";"),
        display_name=next(name),
        email="i@example.org",
        reason=EVERYTHING,
    )
    end_user = str(outputs[0]["end_user_id"])
    erasures = [
        request_erasure(actor=cast.ada, project=cast.project, end_user_id=end_user, reason=EVERYTHING),
        request_person_erasure(actor=cast.ada, user=odd, reason=EVERYTHING),
    ]
    people = [odd.pk, cast.rita.person.pk]
    common = {"project": [cast.project.slug], "secret": [invited.secret], "erasure": [one.pk for one in erasures]}
    return HostileHouse(cast, {**common, "person": people, "user": people, **rows})


def _queues(api: Api, ids: list[str], pair: str) -> None:
    preference = [{"key": "preference", "kind": "preference", "title": next(long_name), "help": EVERYTHING[:4_900]}]
    should_fire = [{"key": "should_fire", "kind": "binary", "title": next(long_name), "help": next(long_name)}]
    for slug, kind, asked in (
        ("answers", "grade", criteria()), ("pairs", "pairwise", preference), ("hits", "guardrail", should_fire)
    ):  # fmt: skip
        ok(api.post("rubrics/", {"slug": slug, "title": next(name), "criteria": asked}))
        ok(api.post(f"rubrics/{slug}/publish/", {}))
        queue = {
            "slug": slug, "title": next(name), "kind": kind, "rubric": slug, "instructions": EVERYTHING[:9_000],
            "reviewers_per_item": 2, "adjudicate": "on_disagreement", "rules": ["some"] if kind == "grade" else [],
        }  # fmt: skip
        ok(api.post("queues/", queue))
    # A draft that differs from its published version.
    ok(api.post("rubrics/", {"slug": "answers", "title": next(name), "criteria": criteria()}))
    ok(api.post("queues/answers/items/", {"external_ids": ids}))
    ok(api.post("queues/hits/items/", {"external_ids": ids}))
    ok(api.post("queues/pairs/items/", {"external_ids": [pair]}))


def _reviews(cast: Cast, api: Api, ids: list[str]) -> None:
    queue = Queue.objects.get(project=cast.project, slug="answers")
    for person, is_right in ((cast.rita, True), (cast.rob, False)):
        for _ in range(2):
            lease = lease_next(actor=person, queue=queue)
            assert lease is not None
            grades = {"correct": is_right, KEY: 1 if is_right else 3, "notes": EVERYTHING}
            body = {"grades": grades, "comment": EVERYTHING, "correction": EVERYTHING}
            submit_once(actor=person, lease=lease, answer=AnswerIn.model_validate(body))
    lease = lease_next(actor=cast.rita, queue=queue)
    assert lease is not None
    draft = {"grades": {"notes": EVERYTHING}, "comment": EVERYTHING, "correction": EVERYTHING}
    save_draft(actor=cast.rita, lease=lease, answer=draft)
    for person in (cast.rob, cast.ivy):
        lease_next(actor=person, queue=queue)
    for kind in ("pairs", "hits"):
        lease_next(actor=cast.rita, queue=Queue.objects.get(project=cast.project, slug=kind))
    imported = [
        {"external_id": ids[4], "reviewer": next(name), "grades": {"correct": True, KEY: 2}, "comment": next(long_name)}
        for _ in range(3)
    ]
    ok(api.bulk("queues/answers/reviews/import/", imported))


def _judges_and_datasets(cast: Cast, api: Api, ids: list[str]) -> dict[str, list[Any]]:
    asked = {
        "slug": "model", "title": next(name), "rubric": "answers", "kind": "llm", "criteria": ["correct", KEY],
        "base_url": "http://127.0.0.1:9/v1", "model": next(name),
        "prompt": "<script>hit(70)</script><img src=/hostile/70 onerror=hit(70)> $output",
    }  # fmt: skip
    ok(api.post("judges/", asked))
    ok(api.post("judges/", {"slug": "other", "title": next(name), "rubric": "answers", "kind": "imported"}))
    verdicts = [
        {"external_id": one, "criterion": "correct", "value": True, "rationale": EVERYTHING, "confidence": 0.5}
        for one in ids
    ]
    ok(api.bulk("judges/other/verdicts/import/", verdicts))
    run = ok(api.post("judges/model/runs/", {"queue": "answers"}))["id"]
    dataset = {
        "slug": "gold", "title": next(name), "queues": ["answers"], "labels": "raw", "where": {"feature": next(name)}
    }  # fmt: skip
    ok(api.post("datasets/", dataset))
    ok(api.post("datasets/gold/versions/"))
    for version in open_version_ids():
        build_version(version_id=version)
    return {
        "queue": ["answers", "pairs", "hits"], "rubric": ["answers", "pairs"], "judge": ["model", "other"],
        "run_id": [run], "dataset": ["gold"], "number": [1],
    }  # fmt: skip
