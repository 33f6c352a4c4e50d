"""compliance: the auditor's doors, heads published outside, erasure by two people, subject reports, retention, backup.

May import: every room below (it asks each room's `erase_subject`, `find_subject`, `drop_expired`), most of all
`audit` and `access`.

Decided 2026-11-21:
- Who may read what of the log is decided here, not in `audit`: the log has no idea of roles. Auditors and admins of
  the installation see everything, those of a project and its managers that project, everybody else what they did
  themselves.
- Reading the log is itself an event, once per page or call.
- An export is one event, recorded before its first byte with the exact number of rows: whoever breaks off could have
  had them all. It goes batch by batch without a transaction, so a slow reader holds nothing open; what was committed
  when it began is in it. Admins of the installation read the log, only its auditors take all of it away.
- Words inside events are not searched. The payload is what an erasure removes, so it is no index over people; who,
  what, which event, when and outcome are columns, and each is found by an index.
- A sentence uses the names of today, with the ids beside it; the role in it is the one held then, replayed from the
  grants in the log. `vocabulary.py` has one row for each event, `sentences.py` one phrase; tests hold both complete.
- The sequencer signs, a worker publishes (`services/publishing.py`): the process with the private key reaches no
  network.
- A place outside that holds a newer head than the log has, or another one of the same size, is never written over: that
  it does not fit is the message, on the auditor's page and as an event.
- As a witness this installation speaks C2SP tlog-witness under `/api/v1/audit/witness`, so others need not be
  reviewapp. The door is public because the request itself is signed by the log that asks.
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
