"""What erasing may change in rows that otherwise never change.

The rule of each trigger stays; it lets through what one of the functions below does, which the triggers know by two
things at once: the statement runs as the owner of the table (the functions are SECURITY DEFINER; the app's own login is
somebody else, whatever it sets), and the function says so for its own statements (so that an installation whose app is
the owner does not erase by accident either).
"""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION reviewapp_is_erasing(relation oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('reviewapp.erasing', true), '') = 'yes'
           AND current_user = (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = relation)
$$;
CREATE OR REPLACE FUNCTION reviewapp_answers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME IN ('reviewapp_grade', 'reviewapp_verdict')
       AND public.reviewapp_is_erasing(TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE FUNCTION reviewapp_review_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE texts CONSTANT text[] := ARRAY['comment', 'correction', 'body_sha256'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
       AND to_jsonb(OLD) - 'ended_at' = to_jsonb(NEW) - 'ended_at' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - texts = to_jsonb(NEW) - texts
       AND public.reviewapp_is_erasing(TG_RELID) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a review is only ever ended, once: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE FUNCTION reviewapp_frozen_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The one thing that happens to a frozen version: an erasure takes its files away, once.
    IF TG_OP = 'UPDATE' AND OLD.state = 'done' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
       AND to_jsonb(OLD) - 'withdrawn_at' = to_jsonb(NEW) - 'withdrawn_at' THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'done' THEN
        RAISE EXCEPTION 'dataset version % is frozen: % refused', OLD.id, TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
"""
# Values that people chose from the rubric stay; what they typed goes. A highlight holds places in a text that is gone,
# and labels that are free when its criterion has no levels. Each function answers how many rows it changed.
FUNCTIONS = """
CREATE FUNCTION reviewapp_erase_answers(items uuid[], person uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE changed bigint; graded bigint;
BEGIN
    PERFORM set_config('reviewapp.erasing', 'yes', true);
    UPDATE reviewapp_review SET comment = '', correction = NULL, body_sha256 = repeat('0', 64)
    WHERE (item_id = ANY (items) OR reviewer_id = person)
      AND (comment <> '' OR correction IS NOT NULL OR body_sha256 <> repeat('0', 64));
    GET DIAGNOSTICS changed = ROW_COUNT;
    UPDATE reviewapp_grade g SET value = CASE c.kind WHEN 'text' THEN '""'::jsonb ELSE '[]'::jsonb END
    FROM reviewapp_criterion c, reviewapp_review r
    WHERE c.id = g.criterion_id AND r.id = g.review_id AND g.value NOT IN ('""'::jsonb, '[]'::jsonb)
      AND ((r.item_id = ANY (items) AND c.kind IN ('text', 'highlight'))
           OR (r.reviewer_id = person AND (c.kind = 'text' OR (c.kind = 'highlight' AND c.levels = '[]'::jsonb))));
    GET DIAGNOSTICS graded = ROW_COUNT;
    PERFORM set_config('reviewapp.erasing', 'no', true);
    RETURN changed + graded;
END $$;
CREATE FUNCTION reviewapp_erase_verdicts(outputs uuid[], pairs uuid[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE changed bigint;
BEGIN
    PERFORM set_config('reviewapp.erasing', 'yes', true);
    UPDATE reviewapp_verdict v
    SET rationale = '', raw = '', content_sha256 = repeat('0', 64),
        value = CASE WHEN v.value IS NULL THEN NULL WHEN c.kind = 'text' THEN '""'::jsonb
                     WHEN c.kind = 'highlight' THEN '[]'::jsonb ELSE v.value END
    FROM reviewapp_criterion c
    WHERE c.id = v.criterion_id AND (v.output_id = ANY (outputs) OR v.pair_id = ANY (pairs))
      AND v.content_sha256 <> repeat('0', 64);
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM set_config('reviewapp.erasing', 'no', true);
    RETURN changed;
END $$;
REVOKE ALL ON FUNCTION reviewapp_erase_answers(uuid[], uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION reviewapp_erase_verdicts(uuid[], uuid[]) FROM PUBLIC;
"""
BACK = """
DROP FUNCTION reviewapp_erase_answers(uuid[], uuid);
DROP FUNCTION reviewapp_erase_verdicts(uuid[], uuid[]);
"""

ERASING = [
    migrations.RunSQL(TRIGGERS, reverse_sql=migrations.RunSQL.noop),
    migrations.RunSQL(FUNCTIONS, reverse_sql=BACK),
]
