"""Who there is, what they belong to, and what they hold."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from reviewapp.lib.clock import utc_now
from reviewapp.lib.ids import new_id


def new_seed() -> str:
    """128 random bits in hex: what the project's sampling hashes with."""
    return secrets.token_hex(16)


class User(AbstractUser):
    """A person, or an imported reviewer of one project (inactive, without password, shown by `imported_name`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=400, unique=True)
    display_name = models.CharField(max_length=200, blank=True)
    imported_name = models.CharField(max_length=200, blank=True)
    imported_into = models.ForeignKey("reviewapp.Project", models.PROTECT, null=True, related_name="imported_reviewers")
    imported_as_slot = models.BooleanField(default=False)
    erased_at = models.DateTimeField(null=True)  # from then on the row is a pseudonym that nobody can sign in with

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["imported_into", "imported_name"],
                condition=Q(imported_into__isnull=False),
                name="one_imported_reviewer_per_name",
            ),
            # Sign-in finds a name whatever its case and lets nobody in when two accounts answer.
            models.UniqueConstraint(
                Upper("username"),
                condition=Q(imported_into__isnull=True),
                name="one_account_per_name_in_any_case",
            ),
            models.CheckConstraint(
                condition=Q(imported_into__isnull=True) | Q(is_active=False), name="imported_reviewers_cannot_sign_in"
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(is_active=False), name="an_erased_account_stays_closed"
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """What other people see."""
        return self.imported_name or self.display_name or self.username

    @property
    def public_name(self) -> str:
        """What the API answers: the name given at import, else the username."""
        return self.imported_name or self.username


class Project(models.Model):
    """One language-model application under review. The unit of access."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    sampling_seed = models.CharField(max_length=64, default=new_seed, editable=False)
    retention_days = models.PositiveSmallIntegerField(default=14)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        permissions = [
            ("hold_admin", "Holds the role admin"),
            ("hold_manager", "Holds the role manager"),
            ("hold_auditor", "Holds the role auditor"),
        ]

    def __str__(self) -> str:
        return self.title


class UserGrant(UserObjectPermissionBase):
    """Base of the tables that give a person a role on an object.

    Subclasses name the object and the way to its project.
    """

    project_path = "content_object"

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


class GroupGrant(GroupObjectPermissionBase):
    """The same for a group."""

    project_path = "content_object"

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True


class ProjectUserGrant(UserGrant):
    """A role of a person on a project."""

    content_object = models.ForeignKey(Project, models.CASCADE)


class ProjectGroupGrant(GroupGrant):
    """A role of a group on a project."""

    content_object = models.ForeignKey(Project, models.CASCADE)


class InstallationRole(models.Model):
    """Admin or auditor of everything here."""

    user = models.ForeignKey(User, models.CASCADE, related_name="installation_roles")
    role = models.CharField(max_length=20, choices=[("admin", "admin"), ("auditor", "auditor")])
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="one_installation_role_each")]

    def __str__(self) -> str:
        return f"{self.user} holds {self.role}"


class ApiToken(models.Model):
    """A key for programs.

    A service token belongs to one project; a personal token acts as its owner, never more than the owner may.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="service_tokens")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=8, unique=True)
    secret_sha256 = models.BinaryField()
    scopes = ArrayField(models.CharField(max_length=20))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_ip = models.GenericIPAddressField(null=True)
    replaces = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replaced_by")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(project__isnull=True) | ~Q(scopes__contains=["review"]), name="only_people_review"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} (rva_{self.prefix}_…)"

    @property
    def is_expired(self) -> bool:
        """Whether its time is over; to the second."""
        return self.expires_at <= utc_now()


class Invitation(models.Model):
    """A one-time link with which a person sets a password: the first one, or a new one after it was forgotten.

    Only the SHA-256 of its secret is kept. It is open while it is neither used nor withdrawn nor past `expires_at`.
    """

    PURPOSES = ("invite", "reset")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="invitations")
    purpose = models.CharField(max_length=10, choices=[(purpose, purpose) for purpose in PURPOSES])
    secret_sha256 = models.BinaryField(unique=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # null: the command line
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(used_at=None, withdrawn_at=None), name="one_open_link_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"


class IdempotencyRecord(models.Model):
    """The answer that was given to one `Idempotency-Key`, written in the transaction of its effect. Kept 24 hours."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_per_idempotency_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key
