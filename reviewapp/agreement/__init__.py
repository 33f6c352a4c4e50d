"""agreement: how far reviewers agree, and the label that an item ends with.

May import: preferences, grading, queues, ingest, rubrics, access, audit, lib, stats.

Decided (2026-11-21):
- Current first attempts on `place` and `extra` seats and imported reviews enter; gold, repeats and adjudications never.
- The database counts: compositions per item, pairs of reviewers, moments of numbers. Only Conger's kappa and the
  intraclass correlations read every label.
- A figure is about a question, not a rubric version: answers to an older version count where it asked the same, word
  for word; a reworded question starts anew.
- A stored report is used while it holds: as many reviews as then, and none with a later place in the log or none yet.
  Anything else is computed at once, so the page is never behind the reviews. Slices are always computed.
- The task reads the log from the newest report's place on, so a review that commits late is found. It stores all
  reports of one pass in one transaction: a crash between two would move the place past the second.
- One report a day is kept per queue, besides the newest.
- `cohen_kappa` of a whole criterion exists for exactly two people; for more, each pair has its own.
- A slice of a pairwise queue by model or configuration names both sides: "a vs b".
- A single review settles an item (`n_reviews` says so): most queues ask one reviewer per item.
"""
