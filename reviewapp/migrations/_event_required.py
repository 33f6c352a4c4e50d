"""No change without an event, held by the database: a transaction that changed rows of these tables and recorded nothing
cannot commit.

The check waits until the commit, so a service may change first and record last. It is a guard against forgetting, in a
room that does not exist yet too; against an enemy with the app's login stand the log's own grants and triggers. The owner
of the tables (migrations) is not asked.
"""

from django.db import migrations

# Columns that only say how far some work is, or when something was last seen; the work itself has its event.
BOOKKEEPING = {
    "reviewapp_apitoken": ("last_used_at", "last_ip"),
    # A sign-in makes the hash anew when its cost was raised.
    "reviewapp_user": ("last_login", "password"),
    "reviewapp_queue": ("pulled_leaf",),
    "reviewapp_judgerun": ("state",),
    "reviewapp_runitem": ("claimed_until", "attempts", "cost_usd", "finished_at"),
    "reviewapp_datasetversion": ("state", "done", "total"),
    "reviewapp_erasure": ("state", "claimed_until", "done", "total"),
    "reviewapp_verification": ("state", "claimed_until", "done", "total"),
}
# Tables without the guard, each with its reason.
UNGUARDED = {
    "reviewapp_idempotencyrecord": "the answer to a call whose effect has its event; it goes after a day",
    "reviewapp_publication": "the newest head that reached a place, moved every minute; what happened is recorded once",
    "reviewapp_witnessedlog": "the newest head of another log, moved every minute; the head itself is signed",
}

FUNCTIONS = """
CREATE OR REPLACE FUNCTION audit.enqueue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = audit AS $$
BEGIN
    INSERT INTO audit.pending (event_id) VALUES (NEW.id);
    -- For reviewapp_needs_event. Local: a savepoint that is rolled back takes its event and this mark with it.
    PERFORM set_config('audit.recorded', pg_current_xact_id()::text, true);
    RETURN NULL;
END $$;
CREATE FUNCTION reviewapp_needs_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('audit.recorded', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - TG_ARGV::text[] = to_jsonb(NEW) - TG_ARGV::text[] THEN
        RETURN NULL;
    END IF;
    IF session_user = (SELECT tableowner FROM pg_tables WHERE schemaname = TG_TABLE_SCHEMA AND tablename = TG_TABLE_NAME) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % without an event: nothing is kept', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
BACK = """
DROP FUNCTION reviewapp_needs_event() CASCADE;
CREATE OR REPLACE FUNCTION audit.enqueue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = audit AS $$
BEGIN
    INSERT INTO audit.pending (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
"""


def guarded(*tables: str) -> migrations.RunSQL:
    """An operation that puts the guard on tables. A migration that makes a table ends with it."""
    statements = []
    for table in tables:
        columns = ", ".join(f"'{name}'" for name in BOOKKEEPING.get(table, ()))
        statements.append(
            f"CREATE CONSTRAINT TRIGGER needs_event AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reviewapp_needs_event({columns})"
        )
    return migrations.RunSQL(
        statements, reverse_sql=[f"DROP TRIGGER IF EXISTS needs_event ON {table}" for table in tables]
    )
