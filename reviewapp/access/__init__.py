"""access: who may. User, Project, roles, API tokens; the HTTP plumbing that knows an actor.

The role matrix is one table (`matrix.py`), deny by default. Roles are object permissions of django-guardian on
Project (admin, manager, auditor) and on Queue (reviewer, adjudicator; the grant tables are declared by `queues` from
`UserGrant` and `GroupGrant`).
Admin and auditor may also be held for the installation. No role includes another.

May import: lib, audit. The only room that imports guardian.

Decided 2026-11-21:
- A role is the permission (`hold_<role>`), and the matrix maps acts to roles: what a role may is code that tests can
  walk, not rows.
- An object to which the caller holds no role answers 404; a known object with the wrong role answers 403. Both are
  recorded.
- Tokens are ours (no library carries project, scopes, expiry and last use); the secret is stored as SHA-256 and shown
  once.
- People come in by a one-time link and by no other way; the link's page sends no more than the origin as referrer,
  because with none at all browsers post `Origin: null`, which the CSRF check refuses.
- "Is it you?" guards what changes who may what. What was typed waits in the session and is sent again by the browser:
  allauth would call the view itself, past our middlewares and the CSRF check.
- Sessions are rows with a clock of their own; roles are asked only when the shorter limit has passed, so a request
  costs nothing for it.
- allauth keeps second factors; its secrets are encrypted here, and a code is remembered longer than it lives.
"""
