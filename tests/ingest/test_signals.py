"""Late signals and facts: what is new, what is known, and that rules run again."""

from __future__ import annotations

import pytest

from reviewapp.access.actors import SYSTEM
from reviewapp.audit.models import Event
from reviewapp.ingest.filters import Where
from reviewapp.ingest.models import Fact, Output, Selection, Signal
from reviewapp.ingest.services import RuleIn, create_rule, record_fact, record_facts
from reviewapp.lib.clock import utc_now
from tests.conftest import personal_api, service_api
from tests.ingest.examples import id_with_unit, output

AT = "2026-11-20T10:00:00Z"


def counts(answer):
    return (answer.body["accepted"], answer.body["duplicates"], answer.body["rejected"])


def rule(cast, slug, rate, **where):
    return create_rule(actor=SYSTEM, project=cast.project, rule=RuleIn(slug=slug, rate=rate, where=Where(**where)))


def test_a_signal_is_one_per_output_kind_and_moment(api):
    api.post("outputs/", [output("a"), output("b")])
    rows = [
        {"external_id": "a", "kind": "edit", "value": {"text": "new"}, "occurred_at": AT},
        {"external_id": "a", "kind": "edit", "occurred_at": "2026-11-20T12:00:00+02:00"},
        {"external_id": "a", "kind": "edit"},
        {"external_id": "a", "kind": "edit", "value": 2},
        {"external_id": "a", "kind": "retry", "occurred_at": AT},
        {"external_id": "b", "kind": "edit", "occurred_at": AT},
    ]
    assert counts(api.bulk("signals/", rows)) == (4, 2, 0)
    assert counts(api.bulk("signals/", rows)) == (0, 6, 0)
    assert Signal.objects.count() == 4
    assert Signal.objects.get(output__external_id="a", kind="edit", occurred_at=AT).value == {"text": "new"}
    assert Event.objects.filter(event="ingest.signals_ingested").count() == 1


def test_a_signal_that_came_with_the_output_is_known(api):
    api.post("outputs/", output("a", signals=[{"kind": "edit", "occurred_at": AT}, {"kind": "edit"}]))
    rows = [{"external_id": "a", "kind": "edit", "occurred_at": AT}, {"external_id": "a", "kind": "edit"}]
    assert counts(api.bulk("signals/", rows)) == (0, 2, 0)


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        ({"external_id": "nosuch", "kind": "edit"}, "/external_id"),
        ({"external_id": "a", "kind": "clap"}, "/kind"),
        ({"external_id": "a"}, "/kind"),
        ({"external_id": "a", "kind": "edit", "colour": 1}, "/colour"),
        ({"external_id": "a", "kind": "edit", "occurred_at": "yesterday"}, "/occurred_at"),
    ],
)
def test_a_wrong_signal_is_rejected(api, row, pointer):
    api.post("outputs/", output("a"))
    answer = api.bulk("signals/", [row])
    assert (answer.status, counts(answer), answer.body["errors"][0]["pointer"]) == (422, (0, 0, 1), pointer)


def test_a_late_signal_selects_an_output_that_no_rule_had_taken(api, cast):
    rule(cast, "edits", 1.0, signal="edit")
    api.post("outputs/", output("a"))
    assert not Selection.objects.exists()
    api.bulk("signals/", [{"external_id": "a", "kind": "retry"}])
    assert not Selection.objects.exists()
    api.bulk("signals/", [{"external_id": "a", "kind": "edit"}])
    selection = Selection.objects.get()
    assert (selection.rule.slug, selection.rate, selection.event.event) == ("edits", 1.0, "ingest.signals_ingested")


def test_a_rule_that_comes_to_match_a_selected_output_leaves_its_row_though_its_own_rate_would_not_select(api, cast):
    name = id_with_unit(cast.project.sampling_seed, low=0.5, high=0.9)
    rule(cast, "all", 0.9)
    rule(cast, "edits", 0.1, signal="edit")
    api.post("outputs/", output(name))
    assert [row.rule.slug for row in Selection.objects.all()] == ["all"]
    api.bulk("signals/", [{"external_id": name, "kind": "edit"}])
    assert {(row.rule.slug, row.rate) for row in Selection.objects.all()} == {("all", 0.9), ("edits", 0.1)}


def test_an_unselected_output_stays_out_when_its_number_is_above_the_late_rate(api, cast):
    name = id_with_unit(cast.project.sampling_seed, low=0.5)
    rule(cast, "edits", 0.5, signal="edit")
    api.post("outputs/", output(name, signals=[{"kind": "copied"}]))
    api.bulk("signals/", [{"external_id": name, "kind": "edit"}])
    assert not Selection.objects.exists()


def test_nothing_runs_again_once_the_text_was_dropped(api, cast):
    rule(cast, "edits", 1.0, signal="edit")
    rule(cast, "unsure", 1.0, judge_below={"judge": "j", "criterion": "c", "confidence": 0.5})
    api.post("outputs/", output("a"))
    Output.objects.update(text_dropped_at=utc_now())
    assert counts(api.bulk("signals/", [{"external_id": "a", "kind": "edit"}])) == (1, 0, 0)
    record_fact(output=Output.objects.get(), name="judge/j/c/confidence", value=0.1)
    assert api.post("rules/edits/backfill/").body["added"] == 0
    assert not Selection.objects.exists()


def test_a_fact_of_a_judge_selects_what_it_was_unsure_of(api, cast):
    rule(cast, "unsure", 1.0, judge_below={"judge": "j", "criterion": "c", "confidence": 0.5})
    api.post("outputs/", [output("a"), output("b")])
    a, b = Output.objects.get(external_id="a"), Output.objects.get(external_id="b")
    record_facts(
        project=cast.project,
        facts={(a.pk, "judge/j/c/confidence"): 0.4, (b.pk, "judge/j/c/confidence"): 0.5, (b.pk, "other"): 0.0},
    )
    selection = Selection.objects.get()
    assert (selection.output, selection.event.event) == (a, "ingest.outputs_selected")
    record_fact(output=b, name="judge/j/c/confidence", value=0.1)
    assert Selection.objects.count() == 2
    assert Fact.objects.get(output=b, name="judge/j/c/confidence").value == 0.1


@pytest.mark.parametrize(("person", "status"), [("max", 200), ("ada", 403), ("otto", 403), ("nemo", 404)])
def test_only_managers_and_ingest_tokens_send_signals(cast, person, status):
    service_api(cast).post("outputs/", output("a"))
    row = [{"external_id": "a", "kind": "edit"}]
    assert personal_api(getattr(cast, person)).bulk("signals/", row).status == status
    assert service_api(cast, ["ingest"]).bulk("signals/", row).status == 200
    assert service_api(cast, ["manage"]).bulk("signals/", row).status == 403
