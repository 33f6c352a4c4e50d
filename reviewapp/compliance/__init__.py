"""compliance: the auditor's doors, erasure by two people, subject reports, retention, backup and restore.

May import: every room below (it asks each room's `erase_subject`, `find_subject`, `drop_expired`), most of all
`audit` and `access`.

Decided 2026-11-21:
- Who may read what of the log is decided here, not in `audit`: the log has no idea of roles. Auditors and admins of
  the installation see everything, those of a project and its managers that project, everybody else what they did
  themselves.
- Reading the log is itself an event, once per page or call.
- An erasure clears texts and leaves rows with their numbers: an estimate that moved because somebody was forgotten
  would say something about them. Rows that never change are cleared by functions of the tables' owner, which the
  triggers know.
- Each room finds and clears its own (`erasure.py`); this room asks them in one order (`services/subjects.py`). An end
  user goes in chunks, because an erased output no longer names them: whatever is killed goes on where it was.
- The journal of erasures lies outside the database: only so can a backup from before be erased again. It keeps a keyed
  digest, so whoever finds it alone learns no name.
- `register.py` lists every column that can hold a text. What staff write to set the work up is configuration: an
  erasure does not look into it, because nobody could say what a prompt without a word means.
"""
