"""queues: who gets which item next, and why.

May import: lib, audit, access, ingest, rubrics.

Decided here (2026-11-21):

- A seat is a row. The next one is found in the partial index `open_seats` and taken by ONE statement that ends the
  expired lease, holds the seat and inserts the lease (`services.leases`). Unique constraints make it exact; the code
  only makes collisions rare and repeats the statement when one happens.
- Only the database's `now()` decides whether a lease lives. The columns `held_until` and `expires_at` are equal.
- A reviewer who asks again gets the lease already held in that queue, so a reload, a double click or two tabs are
  harmless; a front end that wants to fetch ahead asks for `another`.
- Extra seats come before place seats: work that was begun is finished first.
- An item's inclusion probability is the largest rate among the queue's own rules that match the output (or the
  decision), times the sender's stated rate. A Selection by one rule does not mean that another rule of the queue chose
  the output: the output's uniform number has to lie below the largest of the queue's own rates.
- Filling a queue takes a lock on the queue's row, so that items are added by one writer at a time; leasing does not
  wait for it.
"""
