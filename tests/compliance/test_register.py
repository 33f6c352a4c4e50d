"""Every column that can hold a text is listed once, so that no later table forgets erasure."""

from __future__ import annotations

from reviewapp.compliance.register import Holds, columns, listed


def test_every_column_that_can_hold_a_text_is_listed():
    unlisted = sorted(columns() - set(listed()))
    assert unlisted == [], "say in compliance/register.py what these may hold, and clear a subject's in its room"


def test_nothing_is_listed_that_is_not_there():
    assert sorted(set(listed()) - columns()) == []


def test_the_register_knows_all_three_kinds():
    kinds = list(listed().values())
    assert {kind: kinds.count(kind) > 10 for kind in Holds} == dict.fromkeys(Holds, True)
