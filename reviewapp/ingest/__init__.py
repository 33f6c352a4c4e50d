"""ingest: what the application did in production, and why some of it was selected.

May import lib, audit and access. Knows names and numbers, not judges: what an upper room learns arrives as a Fact.

Decided on 2026-11-21:
- Records are checked by compiled models and written by COPY, a chunk of 1,000 a transaction with one event. What is
  known already is looked up first; when another sender lands the same id in between, the unique constraint stops the
  COPY and
  the chunk looks again. Rows go in by rising `external_id`, so two senders wait for each other but never in a ring.
- Content is compared by SHA-256 over the record as sent (keys sorted, nulls left out, numbers as numbers): a repeat
  without
  `occurred_at` is still the same record.
- `guardrail` in a filter means that the guardrail acted (blocked, flagged or rewritten); `passed` is most traffic.
- A filter has two forms, SQL and Python, because ingest must not query per record; a test holds them together.
- A daily budget lowers the rate of each hour to budget / (24 x the hourly volume of the hours before, at most 24 of
  them); without an hour of traffic the rule's own rate holds. The Selection keeps the rate that held.
- A Selection says that a rule matched an output that some rule selected. It is in a queue only when its sampling unit
  lies under the largest rate of the queue's own rules: `selectors.selected_by` is that question.
"""
