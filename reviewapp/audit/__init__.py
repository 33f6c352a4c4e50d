"""audit: the append-only log. Record, sequence, sign, verify; no pages.

`record` writes one event with its salted, erasable payload in the writer's own transaction: two inserts, no lock. One
sequencer process moves waiting events into an RFC 6962 Merkle tree and signs checkpoints, so the request path never
waits for the chain and the chain cannot fork. Update, delete and truncate are refused by grants and by triggers.

May import: lib. Every other room may import audit; it copies ids as text and has no foreign key out.

Decided 2026-11-21:
- The columns that auditors filter by are generated from `env` by PostgreSQL itself: they cannot say anything else
  than what is hashed.
- `at` comes from the database's clock and is written into `env` by the inserting statement; no second round trip.
- An actor's name stands in the payload, not in `env`: the log keeps a random id, erasure removes the name.
- What must outlive every erasure (a public key, the size of a head) stands in `env` under `facts`, not in the payload.
- A change of the key counts when its event names both keys and carries the signatures of both, as does the head that
  covers it (`chain.py`): the app may write any event, and has no key. One trusted key leads to all others, either way.
- The old private key is gone after a change. `log.vkey` is public and may lie apart (REVIEWAPP_VERIFIER).
- The sequencer reads every leaf hash at its start, 3.5 s per million in 90 MB: a stored prefix would not notice rows
  that were rewritten, and refusing to sign those is what it is for.
- Verification holds no transaction: the log only grows, and a long one would keep VACUUM from the whole database.
- `offline/verify.py` repeats hashing, proofs and Ed25519 on purpose: it must run where nothing of this house is, and a
  second writing of the same rules is a check of the first.
- A bundle carries each event's leaf hash beside its text: an edit that forgot it is named by its index; one that did
  not is narrowed down to the stretch between two signed heads.
- The migration creates the tables by SQL (`managed = False`): Django knows neither schemas nor ENABLE ALWAYS triggers.
"""
