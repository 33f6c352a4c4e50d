"""demo: the sample project, loaded through the services.

May import: every room but `home`. Nothing imports demo. `content` holds the words and knows no Django; `services`
pushes them through the same doors that people and programs use, so the sample's audit log is real.

Decided 2026-11-21:
- Loading happens once: when the project exists, nothing is touched. `make demo` keeps what people did in it.
- Passwords and tokens of the sample are written to one file beside the data (mode 0600) and printed by `make demo`,
  which listens on loopback only. They exist nowhere else; the database keeps hashes.
"""
