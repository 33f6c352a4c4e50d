"""What a pair's page says of its sources."""

from reviewapp.grading.views.subject import shown


def side(text):
    return {"output": text, "context": [{"id": "KB-1", "text": "One."}, {"id": "KB-2", "text": "Two."}], "steps": []}


def test_a_source_of_both_is_cited_when_either_answer_cites_it():
    found = shown({"input": "Why?", "left": side("Because."), "right": side("Because [KB-2].")})
    assert found.has_same_sources
    assert [source.is_cited for source in found.left.sources] == [False, True]
