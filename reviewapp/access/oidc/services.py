"""From a checked identity to an account: found, linked by its owner, or made where the installation allows it."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction

from config.env import OpenIdConnect
from reviewapp.access.actors import Actor
from reviewapp.access.groups import set_groups
from reviewapp.access.matrix import Role
from reviewapp.access.models import InstallationRole, Invitation, ProjectUserGrant, User
from reviewapp.access.oidc.errors import SignInRefused
from reviewapp.access.oidc.identity import Identity
from reviewapp.audit.events import Event
from reviewapp.audit.services import Change, Subject, record
from reviewapp.lib.errors import Conflict

_UNKNOWN = (
    "No account here is linked with this sign-in. If you have an account, sign in with your password and link it under "
    "My account; if you have none, ask an administrator."
)
_TAKEN = "Your mail address belongs to an account here. Sign in with its password and link it under My account."


@transaction.atomic
def person_behind(*, actor: Actor, identity: Identity, oidc: OpenIdConnect) -> User:
    """The account that this identity opens, its groups set as the provider says now.

    actor: the request, which has no user yet. Raises SignInRefused, and then nothing is kept.
    """
    user = _linked(identity) or _linked_by_email(actor, identity, oidc) or _made(actor, identity, oidc)
    if not user.is_active:
        raise SignInRefused("deactivated", "This account is closed. Ask an administrator.")
    set_groups(actor=actor.as_user(user), user=user, issuer=identity.issuer, names=identity.groups)
    return user


def may_confirm(user: User, oidc: OpenIdConnect) -> bool:
    """Whether the provider can be asked "Is it you?" about this person."""
    is_linked: bool = SocialAccount.objects.filter(user=user, provider=oidc.server).exists()
    return is_linked


def linked_accounts(user: User) -> list[SocialAccount]:
    """How this person may sign in through the provider, oldest first."""
    return list(SocialAccount.objects.filter(user=user).order_by("date_joined"))


@transaction.atomic
def link_identity(*, actor: Actor, identity: Identity) -> None:
    """Link the provider's identity with the signed-in person's own account.

    Raises Conflict when it belongs to somebody else, or the person has another of this provider.
    """
    user = actor.person
    if not user.is_active:
        raise SignInRefused("deactivated", "This account is closed. Ask an administrator.")
    owner = _linked(identity)
    if owner is not None and owner.pk != user.pk:
        raise Conflict("This sign-in is linked with another account here.")
    if owner is None:
        if SocialAccount.objects.filter(user=user, provider=identity.issuer).exists():
            raise Conflict("Your account is linked with another identity of this service. Remove that link first.")
        _link(actor, identity, user, how="by its owner")
    set_groups(actor=actor, user=user, issuer=identity.issuer, names=identity.groups)


@transaction.atomic
def unlink_identities(*, actor: Actor) -> None:
    """End the signed-in person's own links, and the roles of the groups that came with them.

    Raises Conflict without a password: nobody could sign in to the account any more.
    """
    user = actor.person
    if not user.has_usable_password():
        raise Conflict("Set a password first; without the link nobody could sign in to this account.")
    links = linked_accounts(user)
    for link in links:
        record(
            actor=actor,
            event=Event.IDENTITY_UNLINKED,
            subject=Subject("user", str(user.pk)),
            change=Change(before={"issuer": link.provider, "sub": link.uid}),
        )
    SocialAccount.objects.filter(pk__in=[link.pk for link in links]).delete()
    if links:
        set_groups(actor=actor, user=user, issuer=links[0].provider, names=())


def _linked(identity: Identity) -> User | None:
    found = SocialAccount.objects.filter(provider=identity.issuer, uid=identity.subject).select_related("user").first()
    return found.user if found else None


def _link(actor: Actor, identity: Identity, user: User, *, how: str) -> None:
    try:
        with transaction.atomic():
            SocialAccount.objects.create(user=user, provider=identity.issuer, uid=identity.subject)
    except IntegrityError as error:
        raise Conflict("This sign-in was linked at the same moment. Begin again.") from error
    record(
        actor=actor.as_user(user),
        event=Event.IDENTITY_LINKED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"issuer": identity.issuer, "sub": identity.subject, "how": how}),
    )


def _linked_by_email(actor: Actor, identity: Identity, oidc: OpenIdConnect) -> User | None:
    if not oidc.links_by_email or not identity.is_of_domain(oidc.email_domains):
        return None
    found = list(User.objects.filter(email__iexact=identity.email, imported_into=None)[:2])
    if len(found) != 1 or not found[0].is_active:
        return None
    user = found[0]
    if _was_invited_by_others(user):
        return None
    is_admin = ProjectUserGrant.objects.filter(user=user, permission__codename=f"hold_{Role.ADMIN}").exists()
    if is_admin or user.installation_roles.exists() or SocialAccount.objects.filter(user=user).exists():
        return None
    _link(actor, identity, user, how="by verified mail")
    return user


def _was_invited_by_others(user: User) -> bool:
    """Whether somebody below the installation's admins made the account: they chose its mail address, and may hold its
    first password, while they wait for the address's owner to come with the roles of their groups.
    """
    invites = Invitation.objects.filter(user=user, purpose="invite").exclude(created_by=None)
    admins = InstallationRole.objects.filter(role=Role.ADMIN.value).values("user")
    return invites.exclude(created_by__in=admins).exists()


def _made(actor: Actor, identity: Identity, oidc: OpenIdConnect) -> User:
    if not oidc.creates_accounts:
        raise SignInRefused("not_linked", _UNKNOWN)
    if not identity.is_email_verified or not identity.email:
        raise SignInRefused(
            "mail_not_verified", "Your sign-in service does not vouch for your mail address. " + _UNKNOWN
        )
    if not identity.is_of_domain(oidc.email_domains):
        raise SignInRefused("mail_domain_not_allowed", _UNKNOWN)
    taken = User.objects.filter(email__iexact=identity.email) | User.objects.filter(username__iexact=identity.email)
    if taken.exists():
        raise SignInRefused("mail_is_taken", _TAKEN)
    user = User(username=identity.email, email=identity.email, display_name=identity.name)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise SignInRefused("mail_is_taken", _TAKEN) from error
    record(
        actor=actor.as_user(user),
        event=Event.USER_CREATED,
        subject=Subject("user", str(user.pk)),
        change=Change(after={"username": user.username, "display_name": user.display_name}, more={"by": "oidc"}),
    )
    _link(actor, identity, user, how="with the new account")
    return user
