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
"""
