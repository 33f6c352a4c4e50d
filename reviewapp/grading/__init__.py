"""grading: what people answer, and the screens on which they do.

May import: lib, audit, access, ingest, rubrics, queues.

Decided here (2026-11-21):

- Blind by construction: `selectors.subject_of` builds what a reviewer gets from a list of harmless parts; nothing is
  taken away from a whole. A step keeps its kind; its name, input and output are shown only when they hold no value of
  the configuration and no maker's name.
- A submit is idempotent by its lease: the same body answers the same review, another body is a conflict. The lease must
  live by the database's clock at that moment; when it does not, what was sent is kept as the draft.
- Sides are undone at the door: reviewers say left and right, the tables hold a and b and how they were shown.
- The first reviews of an item disagree when a required criterion other than text and highlight got two different
  values. Once extra reviewers were asked, a strict majority settles it. Whoever submits last decides what follows,
  under a lock of the item.
- An adjudication is a review on an `adjudicate` seat with a reason; nobody adjudicates an item that they reviewed.
- An imported review may answer any part of the rubric. It lands with an event of its own, thousands in one statement.
- Undo within five minutes ends the review and opens a lease on the same seat, with the answer as draft. It takes back
  the extra seats that nobody holds yet.
"""
