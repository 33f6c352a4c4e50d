"""exports: definitions of labelled data, and frozen, hashed snapshots of it.

May import everything below (`monitoring` and down). Decided, 2026-11-21:

- A version row is the waiting work. `build_version` reads everything in one REPEATABLE READ snapshot through
  server-side cursors into files below `FILES_DIR/<project>/<dataset>/<number>/`, then freezes row and files in one
  transaction. It may run twice, even at once: the files of the same reviews are the same bytes, and only one run
  freezes.
- The `sha256` of a version is the hash of the canonical JSON `{format: sha256 of the file}`: what somebody trained on,
  and nothing that moves beside it. `manifest_sha256` covers the whole manifest.
- One row an item of a queue: an output that two queues hold stands there twice, with the labels of each.
- Left out is counted by reason, and rows plus left out is everything that was looked at. Known answers (gold) never
  leave; adjudications are no raw answers of reviewers, they show as labels of the policy `adjudicated`.
- A split is drawn from the hash of the input (or session, or end user) and nothing else, so that the same input stands
  on the same side in every version and every dataset.
- Every GET that yields bytes of a file is an event, a resumed download too: a range must not be a way round the log.
"""
