"""compliance: the auditor's doors. Pages and API over the log; later erasure, subject reports and retention.

May import: every room below (it asks each room's `erase_subject`, `find_subject`, `drop_expired`), most of all
`audit` and `access`.

Decided 2026-11-21:
- Who may read what of the log is decided here, not in `audit`: the log has no idea of roles. Auditors and admins of
  the installation see everything, those of a project and its managers that project, everybody else what they did
  themselves.
- Reading the log is itself an event, once per page or call.
"""
