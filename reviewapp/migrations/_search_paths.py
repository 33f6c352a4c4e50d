"""Where our functions look for names that carry no schema.

PostgreSQL looks for tables and types among the session's temporary ones first, before its own catalogue, unless the
path names `pg_temp`. The app's login may make temporary objects: a domain called `text` would run a function of its
choosing as the owner of the log, a table called `pg_class` would name it the owner of the grades. A function that is
made anew loses its path; whoever does that says it again.
"""

# The triggers are here too: inside an erasing function they run as the owner, with types that were looked up earlier.
_PATHS = {
    "audit.enqueue()": "pg_catalog, pg_temp",
    "audit.erase_payloads(bigint[])": "pg_catalog, pg_temp",
    "audit.refuse()": "pg_catalog, pg_temp",
    "public.reviewapp_is_erasing(oid)": "pg_catalog, pg_temp",
    "public.reviewapp_answers_stay()": "pg_catalog, pg_temp",
    "public.reviewapp_review_ends_once()": "pg_catalog, pg_temp",
    "public.reviewapp_frozen_version_stays()": "pg_catalog, pg_temp",
    "public.reviewapp_frozen_files_stay()": "pg_catalog, public, pg_temp",
}
_BEFORE = {"audit.enqueue()": "audit", "audit.erase_payloads(bigint[])": "audit"}

FORWARD = [f"ALTER FUNCTION {name} SET search_path = {path}" for name, path in _PATHS.items()]
BACK = [
    f"ALTER FUNCTION {name} SET search_path = {_BEFORE[name]}"
    if name in _BEFORE
    else f"ALTER FUNCTION {name} RESET search_path"
    for name in _PATHS
]
