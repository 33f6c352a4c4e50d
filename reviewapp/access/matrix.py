"""The role matrix: which act needs which role, and which token scope lets a program do it. Deny by default.

Source: SECURITY.md section 3.1. Roles are held on a project (admin, manager, auditor) or on a queue (reviewer,
adjudicator).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may hold. No role includes another."""

    ADMIN = "admin"
    MANAGER = "manager"
    AUDITOR = "auditor"
    REVIEWER = "reviewer"
    ADJUDICATOR = "adjudicator"


PROJECT_ROLES = (Role.ADMIN, Role.MANAGER, Role.AUDITOR)
QUEUE_ROLES = (Role.REVIEWER, Role.ADJUDICATOR)
# Who makes the rules should not also be the one who is measured by them, or has the last word under them.
APART = ((Role.ADMIN, Role.REVIEWER), (Role.MANAGER, Role.ADJUDICATOR))


class Scope(StrEnum):
    """What a token may be used for, within what its owner may."""

    INGEST = "ingest"
    REVIEW = "review"
    LABELS_READ = "labels:read"
    MANAGE = "manage"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True)
class Rule:
    """roles: any one of them suffices. scopes: any one of them suffices for a token; none means that no token may."""

    roles: frozenset[Role]
    scopes: frozenset[Scope]


def _rule(roles: tuple[Role, ...], *scopes: Scope) -> Rule:
    return Rule(frozenset(roles), frozenset(scopes))


A, M, U, R, J = Role.ADMIN, Role.MANAGER, Role.AUDITOR, Role.REVIEWER, Role.ADJUDICATOR
INGEST, REVIEW, LABELS, MANAGE, AUDIT = Scope.INGEST, Scope.REVIEW, Scope.LABELS_READ, Scope.MANAGE, Scope.AUDIT_READ
EVERYONE = (A, M, U, R, J)

ACTS: dict[str, Rule] = {
    "project.view": _rule(EVERYONE, INGEST, REVIEW, LABELS, MANAGE, AUDIT),
    "project.edit": _rule((A, M), MANAGE),
    "people.view": _rule((A, M, U), MANAGE),
    "people.invite": _rule((A,)),  # an account for somebody new, with a role in this project
    "people.edit": _rule((A,)),  # roles that are held on the project
    "members.edit": _rule((A, M)),  # roles that are held on a queue
    "tokens.edit": _rule((A, M)),
    "outputs.ingest": _rule((M,), INGEST),
    "pairs.ingest": _rule((M,), INGEST, MANAGE),
    "outputs.view": _rule((M,), LABELS),
    "rules.view": _rule((A, M, U), MANAGE, LABELS),
    "rules.edit": _rule((A, M), MANAGE),
    "rubrics.view": _rule(EVERYONE, MANAGE, LABELS, REVIEW),
    "rubrics.edit": _rule((A, M), MANAGE),
    "queues.view": _rule(EVERYONE, MANAGE, LABELS, REVIEW),
    "queues.edit": _rule((A, M), MANAGE),
    "queues.enqueue": _rule((A, M), MANAGE),
    "grade": _rule((R,), REVIEW),
    "adjudicate": _rule((J,), REVIEW),
    "reviews.import": _rule((M,), MANAGE),
    "reviews.view": _rule((M, U), LABELS),
    "agreement.view": _rule((M, U, J), LABELS, MANAGE),
    "judges.view": _rule((A, M, U, J), LABELS, MANAGE),
    "judges.edit": _rule((A, M), MANAGE),
    "judges.run": _rule((M,), MANAGE),
    "verdicts.import": _rule((M,), MANAGE),
    "guardrails.view": _rule((M, U, J), LABELS, MANAGE),
    "monitoring.view": _rule((A, M, U), LABELS, MANAGE),
    "datasets.view": _rule((A, M, U), LABELS, MANAGE),
    "datasets.edit": _rule((M,), MANAGE),
    "datasets.download": _rule((M, U), LABELS),
    "audit.view": _rule((A, M, U), AUDIT),
    "audit.verify": _rule((A, M, U)),
    "audit.export": _rule((M, U), AUDIT),
    "erasures.view": _rule((A, M, U)),
    "erasures.request": _rule((A,)),
    "erasures.approve": _rule((M,)),
    "subjects.report": _rule((M,)),  # it holds production text
}
