"""Who holds what, and the one question that every service asks first: `require`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from reviewapp.access.actors import Actor
from reviewapp.access.errors import Hidden
from reviewapp.access.matrix import ACTS, Role
from reviewapp.access.models import GroupGrant, InstallationRole, Project, User, UserGrant
from reviewapp.lib.errors import AccessDenied

Row = TypeVar("Row", bound=Model)
_OPEN_TO_QUEUE_ROLES = frozenset({"project.view", "rubrics.view", "queues.view", "judges.view", "guardrails.view"})


class Anchored(Protocol):
    """An object that carries grants of its own and belongs to a project: a queue."""

    pk: Any
    project_id: UUID


def grant_tables(base: type[Model]) -> list[type[Any]]:
    """The tables made from `UserGrant` or `GroupGrant` in any room."""
    return [table for table in base.__subclasses__() if not table._meta.abstract]


def _of_user(user: User, base: type[Model]) -> Q:
    return Q(user=user) if base is UserGrant else Q(group__user=user)


def roles_on(user: User, target: Project | Anchored) -> frozenset[Role]:
    """Every role of an active person on a project or queue, also those held on its project and for the installation."""
    if not user.is_active:
        return frozenset()
    project_id = target.pk if isinstance(target, Project) else target.project_id
    held = []
    for base in (UserGrant, GroupGrant):
        for table in grant_tables(base):
            model = table._meta.get_field("content_object").related_model
            if model is Project:
                held.append(_codes(table, _of_user(user, base) & Q(content_object_id=project_id)))
            elif isinstance(target, model):
                held.append(_codes(table, _of_user(user, base) & Q(content_object_id=target.pk)))
    return _roles(user, held)


def _codes(table: type[Any], held: Q) -> QuerySet[Any, Any]:
    return table.objects.filter(held).values_list("permission__codename")  # type: ignore[no-any-return] # guardian ships no types


def _roles(user: User, held: list[QuerySet[Any, Any]]) -> frozenset[Role]:
    # One statement for all tables: every request asks this.
    installed = InstallationRole.objects.filter(user=user).values_list("role")
    return frozenset(Role(code.removeprefix("hold_")) for (code,) in installed.union(*held, all=True))


def roles_in_project(user: User, project: Project) -> frozenset[Role]:
    """The roles on the project and on any queue of it: who may know that the project exists."""
    if not user.is_active:
        return frozenset()
    held = [
        _codes(table, _of_user(user, base) & Q(**{table.project_path: project}))
        for base in (UserGrant, GroupGrant)
        for table in grant_tables(base)
    ]
    return _roles(user, held)


def roles_anywhere(user: User) -> frozenset[Role]:
    """Every role that a person holds on anything here."""
    if not user.is_active:
        return frozenset()
    bases = (UserGrant, GroupGrant)
    return _roles(user, [_codes(table, _of_user(user, base)) for base in bases for table in grant_tables(base)])


def _held_on(actor: Actor, target: Project | Anchored) -> frozenset[Role]:
    return _once(actor, roles_on, target) if actor.user else frozenset()


def held_in(actor: Actor, project: Project) -> frozenset[Role]:
    """The actor's roles on the project and on any queue of it, looked up once a request."""
    return _once(actor, roles_in_project, project) if actor.user else frozenset()


def _once(actor: Actor, look: Callable[[User, Any], frozenset[Role]], target: Any) -> frozenset[Role]:
    user = actor.person
    if actor.found_roles is None:
        return look(user, target)
    key = (look, user.pk, user.is_active, type(target), target.pk)
    if key not in actor.found_roles:
        actor.found_roles[key] = look(user, target)
    found: frozenset[Role] = actor.found_roles[key]
    return found


def can(actor: Actor, act: str, target: Project | Anchored) -> bool:
    """Whether the matrix allows the act on this object. The house itself may everything that its code does."""
    if actor.system is not None:
        return True
    rule = ACTS[act]
    if actor.user is None or not _token_covers(actor, act, target):
        return False
    if rule.roles & _held_on(actor, target):
        return True
    return isinstance(target, Project) and _any_queue_role_suffices(actor, act, target)


def allowed_acts(actor: Actor, acts: Iterable[str], target: Project | Anchored) -> frozenset[str]:
    """Those of some acts that the matrix allows on this object, found with one look at the roles."""
    if actor.system is not None:
        return frozenset(acts)
    if actor.user is None:
        return frozenset()
    covered = [act for act in acts if _token_covers(actor, act, target)]
    roles = _held_on(actor, target) if covered else frozenset()
    return frozenset(act for act in covered if ACTS[act].roles & roles)


def _any_queue_role_suffices(actor: Actor, act: str, project: Project) -> bool:
    # Reading the project's name, its rubrics and the list of (own) queues is open to whoever holds a role on
    # one of its queues; judges and guardrails to its adjudicators (the matrix names no reviewer there).
    return act in _OPEN_TO_QUEUE_ROLES and bool(ACTS[act].roles & held_in(actor, project))


def _token_covers(actor: Actor, act: str, target: Project | Anchored) -> bool:
    if actor.token is None:
        return True
    if not ACTS[act].scopes & set(actor.token.scopes):
        return False
    project_id = target.pk if isinstance(target, Project) else target.project_id
    return actor.token.project_id in (None, project_id)


def require(actor: Actor, act: str, target: Project | Anchored) -> None:
    """Beat one of every service.

    Raises Hidden when the caller may not know the object, AccessDenied when only the act is refused.
    """
    if can(actor, act, target):
        return
    if not may_know(actor, target):
        # The very words of a door that finds no such row: a difference would tell which slugs exist.
        kind = "project" if isinstance(target, Project) else "queue"
        raise Hidden(f"There is no such {kind}, or it is not yours to see.")
    needed = " or ".join(sorted(ACTS[act].roles))
    if actor.token is not None and not ACTS[act].scopes & set(actor.token.scopes):
        scopes = " or ".join(sorted(ACTS[act].scopes)) or "no scope (only a signed-in person)"
        raise AccessDenied(f"This token lacks the scope for this: {scopes}.")
    raise AccessDenied(f"This needs the role {needed} here.")


def require_any(actor: Actor, acts: Sequence[str], target: Project | Anchored) -> None:
    """One of the acts suffices. Raises as `require` does for the first of them."""
    if not any(can(actor, act, target) for act in acts):
        require(actor, acts[0], target)


def require_somewhere(actor: Actor, acts: Sequence[str], project: Project) -> None:
    """One of the acts on the project or on any queue of it. Raises as `require` does for the first of them."""
    covered = [act for act in acts if _token_covers(actor, act, project)]
    held = held_in(actor, project) if covered else frozenset()
    if not any(ACTS[act].roles & held for act in covered):
        require(actor, acts[0], project)


def require_scope(actor: Actor, acts: Sequence[str]) -> None:
    """A token needs a scope of one of the acts, wherever it reads; a person needs none. Raises AccessDenied."""
    if actor.token is None or not acts:
        return
    scopes = frozenset[str]().union(*(ACTS[act].scopes for act in acts))
    if not scopes & set(actor.token.scopes):
        raise AccessDenied(f"This token lacks the scope for this: {' or '.join(sorted(scopes))}.")


def may_know(actor: Actor, target: Project | Anchored) -> bool:
    """Whether the existence of the object is the caller's business: any role on it, and for a token its own project."""
    if actor.system is not None:
        return True
    if actor.user is None:
        return False
    project_id = target.pk if isinstance(target, Project) else target.project_id
    if actor.token is not None and actor.token.project_id not in (None, project_id):
        return False
    if isinstance(target, Project):
        return bool(held_in(actor, target))
    return bool(_held_on(actor, target))


def require_installation_admin(actor: Actor) -> None:
    """Raises AccessDenied unless the actor is an admin of the whole installation; a token needs the scope `manage`."""
    if not is_installation_admin(actor):
        raise AccessDenied("Only an admin of the installation can do this.")


def is_installation_reader(actor: Actor) -> bool:
    """Whether the actor may see everybody here: its admins and auditors."""
    return _holds_installation_role(actor, (Role.ADMIN, Role.AUDITOR))


def is_installation_admin(actor: Actor) -> bool:
    """Whether the actor is an admin of the whole installation; a token needs the scope `manage`."""
    return _holds_installation_role(actor, (Role.ADMIN,))


def require_installation_reader(actor: Actor) -> None:
    """The same for its auditors too: they read what its admins set."""
    if not _holds_installation_role(actor, (Role.ADMIN, Role.AUDITOR)):
        raise AccessDenied("Only an admin or auditor of the installation can see this.")


def _holds_installation_role(actor: Actor, roles: Sequence[Role]) -> bool:
    if actor.system is not None:
        return True
    if actor.token is not None and (actor.token.project_id is not None or "manage" not in actor.token.scopes):
        return False
    if actor.user is None or not actor.user.is_active:
        return False
    return InstallationRole.objects.filter(user=actor.user, role__in=[role.value for role in roles]).exists()


def visible_projects(actor: Actor) -> QuerySet[Project]:
    """Projects on which, or on a queue of which, the actor holds a role."""
    if actor.system is not None:
        return Project.objects.all()
    if actor.user is None or not actor.user.is_active:
        return Project.objects.none()
    found = Project.objects.all()
    if actor.token is not None and actor.token.project_id is not None:
        found = found.filter(pk=actor.token.project_id)
    if InstallationRole.objects.filter(user=actor.user).exists():
        return found
    mine = Q(pk__in=[])
    for base in (UserGrant, GroupGrant):
        for table in grant_tables(base):
            held = table.objects.filter(_of_user(actor.user, base))
            mine |= Q(pk__in=held.values(table.project_path))
    return found.filter(mine)


def objects_with_role(
    user: User, roles: Iterable[Role], rows: QuerySet[Row], *, project_field: str = "project"
) -> QuerySet[Row]:
    """Rows of an anchored table (queues) on which the person holds one of the roles, there or on the project or the
    installation.
    """
    wanted = [str(role) for role in roles]
    if not user.is_active:
        return rows.none()
    if InstallationRole.objects.filter(user=user, role__in=wanted).exists():
        return rows
    codes = [f"hold_{role}" for role in wanted]
    mine = Q(pk__in=[])
    for base in (UserGrant, GroupGrant):
        for table in grant_tables(base):
            model = table._meta.get_field("content_object").related_model
            held = table.objects.filter(_of_user(user, base), permission__codename__in=codes).values(
                "content_object_id"
            )
            if model is Project:
                mine |= Q(**{f"{project_field}__in": held})
            elif model is rows.model:
                mine |= Q(pk__in=held)
    return rows.filter(mine)


def holders(target: Project | Anchored, role: Role) -> QuerySet[User]:
    """People who hold a role directly on this object."""
    for table in grant_tables(UserGrant):
        if isinstance(target, table._meta.get_field("content_object").related_model):
            held = table.objects.filter(content_object_id=target.pk, permission__codename=f"hold_{role}")
            return User.objects.filter(pk__in=held.values("user_id"))
    return User.objects.none()
