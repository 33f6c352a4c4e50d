"""audit: the append-only log. Record, sequence, sign, verify; no pages.

`record` writes one event with its salted, erasable payload in the writer's own transaction: two inserts, no lock. One
sequencer process moves waiting events into an RFC 6962 Merkle tree and signs checkpoints, so the request path never
waits for
the chain and the chain cannot fork. Update, delete and truncate are refused by grants and by triggers.

May import: lib. Every other room may import audit; it copies ids as text and has no foreign key out.

Decided 2026-11-21:
- The columns that auditors filter by are generated from `env` by PostgreSQL itself: they cannot say anything else
  than what is hashed.
- `at` comes from the database's clock and is written into `env` by the inserting statement; no second round trip.
- An actor's name stands in the payload, not in `env`: the log keeps a random id, erasure removes the name.
- The migration creates the tables by SQL (`managed = False`): Django knows neither schemas nor ENABLE ALWAYS triggers.
"""
