"""What a person sees is exactly what they may open: selectors against brute force over random grants."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from guardian.shortcuts import assign_perm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewapp.access.actors import SYSTEM, Actor
from reviewapp.access.matrix import ACTS, PROJECT_ROLES, QUEUE_ROLES, Role
from reviewapp.access.models import (
    GroupGrant,
    InstallationRole,
    Project,
    ProjectUserGrant,
    User,
    UserGrant,
)
from reviewapp.access.roles import can, grant_tables, objects_with_role, roles_on, visible_projects
from reviewapp.access.services import create_project, deactivate_user, grant_role
from reviewapp.queues.models import Queue, QueueUserGrant
from reviewapp.queues.selectors import visible_queues
from reviewapp.rubrics.models import Rubric
from tests.conftest import make_person

PEOPLE, GROUPS, PROJECTS, QUEUES = 3, 2, 3, 2  # queues: in each project
person, group = st.integers(0, PEOPLE - 1), st.integers(0, GROUPS - 1)
project, queue = st.integers(0, PROJECTS - 1), st.integers(0, PROJECTS * QUEUES - 1)
project_role, queue_role = st.sampled_from(PROJECT_ROLES), st.sampled_from(QUEUE_ROLES)
grants = st.fixed_dictionaries(
    {
        "members": st.sets(st.tuples(group, person), max_size=4),
        "inactive": st.sets(person, max_size=1),
        "installation": st.sets(st.tuples(person, st.sampled_from([Role.ADMIN, Role.AUDITOR])), max_size=1),
        "person on project": st.sets(st.tuples(person, project, project_role), max_size=5),
        "group on project": st.sets(st.tuples(group, project, project_role), max_size=3),
        "person on queue": st.sets(st.tuples(person, queue, queue_role), max_size=6),
        "group on queue": st.sets(st.tuples(group, queue, queue_role), max_size=4),
    }
)


class Estate:
    """People, groups, projects and queues, without any grant."""

    def __init__(self) -> None:
        self.people = [make_person(f"person-{n}").person for n in range(PEOPLE)]
        self.groups = [Group.objects.create(name=f"group-{n}") for n in range(GROUPS)]
        self.projects = [create_project(actor=SYSTEM, slug=f"project-{n}", title="P") for n in range(PROJECTS)]
        self.queues = [
            Queue.objects.create(
                project=one, slug=f"queue-{n}", title="Q", kind="grade",
                rubric=Rubric.objects.create(project=one, slug=f"rubric-{n}", title="R"),
            )
            for one in self.projects
            for n in range(QUEUES)
        ]  # fmt: skip

    def give(self, given):
        """Write the grants down as rows."""
        for number, member in given["members"]:
            self.people[member].groups.add(self.groups[number])
        for number, role in given["installation"]:
            InstallationRole.objects.get_or_create(user=self.people[number], role=role.value)
        for name, holders, targets in (
            ("person on project", self.people, self.projects),
            ("group on project", self.groups, self.projects),
            ("person on queue", self.people, self.queues),
            ("group on queue", self.groups, self.queues),
        ):
            for holder, target, role in given[name]:
                assign_perm(f"reviewapp.hold_{role}", holders[holder], targets[target])
        for number in given["inactive"]:
            User.objects.filter(pk=self.people[number].pk).update(is_active=False)

    def held(self, given, number):
        """By brute force: (target, role) pairs of one person, without the installation's; None when inactive."""
        if number in given["inactive"]:
            return None
        groups = {n for n, member in given["members"] if member == number}
        found = set()
        for kind, targets in (("project", self.projects), ("queue", self.queues)):
            found |= {(targets[t], role) for who, t, role in given[f"person on {kind}"] if who == number}
            found |= {(targets[t], role) for who, t, role in given[f"group on {kind}"] if who in groups}
        return found


@pytest.fixture
def estate(db):
    return Estate()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(given_grants=grants, wanted=st.sets(st.sampled_from(list(Role)), min_size=1))
def test_the_visible_set_is_what_brute_force_finds(estate, given_grants, wanted):
    with transaction.atomic():
        estate.give(given_grants)
        for number, row in enumerate(estate.people):
            check_one(estate, given_grants, number, Actor(user=User.objects.get(pk=row.pk)), frozenset(wanted))
        transaction.set_rollback(True)


def check_one(estate, given_grants, number, viewer, wanted):
    held = estate.held(given_grants, number)
    installed = set() if held is None else {role for who, role in given_grants["installation"] if who == number}

    def on(target):
        if held is None:
            return frozenset()
        own = {role for where, role in held if where == target}
        above = {role for where, role in held if isinstance(target, Queue) and where == target.project}
        return frozenset(own | above | installed)

    for target in (*estate.projects, *estate.queues):
        assert roles_on(viewer.user, target) == on(target)
    known = {
        one for one in estate.projects if on(one) or any(on(queue) for queue in estate.queues if queue.project == one)
    }
    assert set(visible_projects(viewer)) == known
    for one in estate.projects:
        seen = {queue for queue in estate.queues if queue.project == one and can(viewer, "queues.view", queue)}
        assert seen == {
            queue for queue in estate.queues if queue.project == one and on(queue) & ACTS["queues.view"].roles
        }
        assert set(visible_queues(viewer=viewer, project=one)) == seen
    rows = objects_with_role(viewer.user, wanted, Queue.objects.all())
    assert set(rows) == {queue for queue in estate.queues if on(queue) & wanted}


def test_grants_hang_on_foreign_keys_and_go_with_person_and_object(cast):
    """No table names its object by a type and a text, so nothing is orphaned and no key brings an old grant back."""
    for base in (UserGrant, GroupGrant):
        for table in grant_tables(base):
            assert table._meta.get_field("content_object").related_model in (Project, Queue)
            assert "object_pk" not in {field.name for field in table._meta.get_fields()}
    other = create_project(actor=SYSTEM, slug="other", title="Other")
    rubric = Rubric.objects.create(project=other, slug="r", title="R")
    queue = Queue.objects.create(project=other, slug="q", title="Q", kind="grade", rubric=rubric)
    leaver, stayer = make_person("leaver").person, make_person("stayer").person
    for user in (leaver, stayer):
        grant_role(actor=SYSTEM, user=user, role=Role.AUDITOR, target=other)
        grant_role(actor=SYSTEM, user=user, role=Role.REVIEWER, target=queue)
    leaver.delete()
    assert not ProjectUserGrant.objects.exclude(user__in=User.objects.all()).exists()
    assert QueueUserGrant.objects.filter(content_object=queue).count() == 1
    queue.delete()
    rubric.delete()
    other.delete()
    assert not QueueUserGrant.objects.filter(user=stayer).exists()
    assert not ProjectUserGrant.objects.filter(user=stayer).exists()


def test_no_flag_and_no_global_permission_gives_anything(cast):
    """Django's superuser, staff, and model permissions of a person or of a group mean nothing here."""
    nemo = cast.nemo.person
    User.objects.filter(pk=nemo.pk).update(is_superuser=True, is_staff=True)
    codes = Permission.objects.filter(codename__startswith="hold_")
    assert codes.count() == 5
    nemo.user_permissions.set(codes)
    group = Group.objects.create(name="everything")
    group.permissions.set(codes)
    nemo.groups.add(group)
    viewer = Actor(user=User.objects.get(pk=nemo.pk))
    assert not visible_projects(viewer).exists()
    assert not any(can(viewer, act, cast.project) for act in ACTS)


def test_the_permissions_are_the_five_roles_and_no_model_has_others(db):
    own = ContentType.objects.filter(app_label="reviewapp", model__in=["project", "queue"])
    names = {code.codename for code in Permission.objects.filter(content_type__in=own)}
    assert names == {f"hold_{role}" for role in Role}


def test_a_closed_account_holds_nothing_whatever_rows_it_has(cast):
    group = Group.objects.create(name="managers")
    assign_perm("reviewapp.hold_manager", group, cast.project)
    cast.nemo.person.groups.add(group)
    assert roles_on(cast.nemo.person, cast.project) == {Role.MANAGER}
    deactivate_user(actor=cast.ada, user=cast.nemo.person, reason="left")
    gone = User.objects.get(pk=cast.nemo.person.pk)
    assert roles_on(gone, cast.project) == frozenset()
    assert not visible_projects(Actor(user=gone)).exists()
