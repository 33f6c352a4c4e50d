"""What each act of the matrix means, in words for the pages that say what a person can do."""

from __future__ import annotations

from reviewapp.access.matrix import ACTS, Role

ACT_WORDS: dict[str, str] = {
    "project.view": "see that the project exists, and its name",
    "project.edit": "change the project's settings",
    "people.view": "see who holds which role",
    "people.invite": "invite somebody new into the project",
    "people.edit": "give and take the roles admin, manager and auditor",
    "members.edit": "give and take the roles reviewer and adjudicator",
    "tokens.edit": "make and revoke the project's tokens",
    "outputs.ingest": "send outputs and signals",
    "pairs.ingest": "send pairs of outputs",
    "outputs.view": "read production text, recorded each time",
    "rules.view": "see the sampling rules",
    "rules.edit": "make and try sampling rules",
    "rubrics.view": "read the rubrics",
    "rubrics.edit": "draft and publish rubrics",
    "queues.view": "see queues and their progress",
    "queues.edit": "make and change queues",
    "queues.enqueue": "put items into queues",
    "grade": "take items of the queue, read them and grade them",
    "adjudicate": "settle disputed items that they did not grade",
    "reviews.import": "bring in reviews made elsewhere",
    "reviews.view": "read other people's reviews",
    "agreement.view": "see agreement and preferences",
    "judges.view": "see judges and their calibration",
    "judges.edit": "make and change judges",
    "judges.run": "let judges run, which costs money",
    "verdicts.import": "bring in verdicts made elsewhere",
    "guardrails.view": "see how guardrails do",
    "monitoring.view": "see traffic, cost and estimates",
    "datasets.view": "see datasets",
    "datasets.edit": "define and freeze datasets",
    "datasets.download": "download datasets, which hold production text",
    "audit.view": "read the audit log of the project",
    "audit.verify": "have the audit log verified",
    "audit.export": "take the audit log away",
    "erasures.view": "see erasures",
    "erasures.request": "ask for the erasure of somebody's data",
    "erasures.approve": "approve an erasure that somebody else asked for",
    "subjects.report": "report what is held about an end user, with production text",
}
INSTALLATION_WORDS: dict[Role, tuple[str, ...]] = {
    Role.ADMIN: ("invite and close accounts", "make projects", "make somebody admin or auditor of everything here"),
    Role.AUDITOR: ("see everybody with an account, and what they hold",),
}


def allowed_by(role: Role, *, is_installation: bool = False) -> tuple[str, ...]:
    """What a role allows, in the order of the matrix; first what only the whole installation knows."""
    first = INSTALLATION_WORDS.get(role, ()) if is_installation else ()
    return (*first, *(ACT_WORDS.get(act, act) for act, rule in ACTS.items() if role in rule.roles))
