"""guardrails: how well each guardrail version decides, from what people said about its decisions.

Per (name, version): the trigger rate over the outputs that carry a decision of it, precision over reviewed decisions
that acted (blocked, flagged, rewrote), miss rate over reviewed decisions that passed, and recall. A decision is
reviewed when the criterion `should_fire` is settled for it in a guardrail queue. Reads only; no tables.

May import: agreement, grading, queues, rubrics, ingest, access, audit, stats, lib.

Decided 2026-11-21:
- A version whose sender never reports `passed` has no trigger, miss rate or recall: its denominator was never sent.
- Miss rate and recall rest on reviewed passes with a known inclusion probability. What was enqueued by hand counts in
  `n_passed_reviewed` and in nothing else.
- Recall with one probability for all reviewed passes is `stats.detection.recall`. With several it is the ratio of the
  two totals, and its interval takes both of them at half the error each (Bonferroni): wide, never too narrow.
- The list of hits shows no production text: reading it is an event of its own, and the grading screen is its place.
"""
