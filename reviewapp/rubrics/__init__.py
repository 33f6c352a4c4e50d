"""rubrics: what is asked: rubrics, their frozen versions, their criteria.

May import lib, audit and access. Knows nothing of outputs, queues or reviews.

Decided on 2026-11-21:
- A draft is always a valid rubric: the builder keeps unfinished work in the page, so publishing can never fail on
  content.
- A published version is never edited. Saving again makes a draft with the next number, or replaces the draft there is.
- `levels` stand in rising order. Their numbers are the values when every value is a number (then they must rise), else
  the positions 1..k: `answers.numeric_value` is the only place that knows.
- A criterion may only depend on an earlier one, so conditions cannot form a ring.
- An empty selection of a multiselect is an answer ("none of these"); blank text is not.
"""
