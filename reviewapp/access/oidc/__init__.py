"""Sign-in through the installation's identity provider (OpenID Connect).

allauth keeps the state of the exchange in the session, makes the PKCE pair, redeems the code and runs its login stages;
what decides who somebody is, is ours and strict. Configured by REVIEWAPP_OIDC_* (`config/env.py`); without
REVIEWAPP_OIDC_SERVER every address here answers 404.

Decided 2026-11-21:
- One provider. Its issuer is REVIEWAPP_OIDC_SERVER, written as the provider writes it; discovery that names another
  issuer is refused. So (issuer, sub) identifies a person, also after the operator moves to another provider, and
  `SocialAccount.provider` holds the issuer itself. A mail address never identifies anybody.
- Everything is read from the ID token, whose signature is checked although it came over TLS. The userinfo endpoint is
  not asked: it may speak of somebody else, and what it says is not signed.
- Nobody is linked silently. A person links on the page "Linked sign-in" after a recent sign-in. With
  REVIEWAPP_OIDC_LINKS_BY_EMAIL a verified mail of an allowed domain links the one account that has it, but never an
  account that is admin of anything or holds a role for the installation: a mailbox must not open everything. Nor one
  that a project's admin invited: they typed its address and may hold its password.
- Accounts are closed. With REVIEWAPP_OIDC_CREATES_ACCOUNTS an unknown person whose verified mail is of an allowed
  domain gets an account without password and without any role. Roles come from groups or from people, later.
- Groups give roles only where an admin gave the group one (`access/groups.py`); a group that nobody named here leaves
  no row. Memberships are set anew at each sign-in, and a claim that is missing takes all of them away. No group makes
  an admin or auditor of the installation: that is given to a person, by a person.
- A second factor that somebody has set up here is asked, unless the ID token's `amr` says `mfa`: then the provider has
  asked for one, and whom it is trusted to name it is trusted to have checked.
- Nothing of the provider's answers is stored but (issuer, sub), and none of it is shown.
"""
