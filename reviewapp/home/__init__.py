"""home: the first page. What needs me, and the settings that belong to no single room.

May import: every room but `demo`. Nothing imports home.

Decided 2026-11-21:
- Every number on the first page is counted from what this viewer could open now; there is no badge that can be wrong.
- People, roles and tokens of a project share one page: who may what is one question.
"""
