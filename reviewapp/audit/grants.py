"""Who may do what to the log, as SQL. Run by the migrations and by `manage.py create_roles`; safe to repeat."""

from __future__ import annotations

from psycopg import sql

TABLES = ("event", "payload", "pending", "leaf", "checkpoint", "cosignature")
# What erases, as the owner, inside rows that the app may not change. Later migrations make some of them.
ERASERS = (
    "audit.erase_payloads(bigint[])",
    "public.reviewapp_erase_answers(uuid[], uuid)",
    "public.reviewapp_erase_verdicts(uuid[], uuid[])",
)


def grant_statements(*, app: str, sequencer: str, owner: str) -> list[str]:
    """Statements for roles that are distinct from the owner; none for a role that is missing or is the owner itself."""
    statements = [f"REVOKE ALL ON audit.{table} FROM PUBLIC" for table in TABLES]
    if app and app != owner:
        role = _quoted(app)
        statements += [
            f"GRANT USAGE ON SCHEMA audit TO {role}",
            f"GRANT SELECT, INSERT ON audit.event, audit.payload TO {role}",
            f"GRANT SELECT ON audit.pending, audit.leaf, audit.checkpoint TO {role}",
            # A witness answers the worker, which reaches the network; the sequencer does not.
            f"GRANT SELECT, INSERT ON audit.cosignature TO {role}",
            *(_grant_if_there(function, role) for function in ERASERS),
        ]
    if sequencer and sequencer not in (owner, app):
        role = _quoted(sequencer)
        statements += [
            f"GRANT USAGE ON SCHEMA audit TO {role}",
            f"GRANT SELECT, INSERT ON audit.event, audit.payload TO {role}",
            f"GRANT SELECT, INSERT ON audit.leaf, audit.checkpoint, audit.cosignature TO {role}",
            f"GRANT SELECT, DELETE ON audit.pending TO {role}",
        ]
    return statements


def _grant_if_there(function: str, role: str) -> str:
    return (
        f"DO $$ BEGIN IF to_regprocedure('{function}') IS NOT NULL THEN"
        f" GRANT EXECUTE ON FUNCTION {function} TO {role}; END IF; END $$"
    )


def _quoted(role: str) -> str:
    return sql.Identifier(role).as_string(None)
