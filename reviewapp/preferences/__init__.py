"""preferences: which configuration people prefer, from pairs shown side by side.

May import: grading, queues, ingest, rubrics, access, audit, lib, stats. Has no answers of its own: it reads grading's.

Decided (2026-11-21):
- A comparison is a current first attempt on a `place` or `extra` seat, or an imported one, of the overall preference.
- The contestant is the model where each compared configuration states one and no two share it, else the configuration:
  two prompts on one model must not be thrown together. `?contestant=` says otherwise.
- Comparisons whose sides are the same contestant, or state none, are left out and counted in `left_out`.
- Comparisons of one input share a cluster, also when several people judged the same pair, so that intervals do not
  shrink by asking more people about few prompts.
- Strengths that do not exist are refused with the reason and the groups that could be ranked apart.
"""
