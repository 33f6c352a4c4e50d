"""One plain sentence for each event: who did what to what. Names are those of today; the ids stand beside them.

A phrase follows the actor's name. `$object` is the object's kind and name, `$what` its name alone; every other word is
a value of the payload. A kind of object may have a phrase of its own. A phrase whose words are not all there (erased,
or of another version) gives way to the meaning of the event, which is always true.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from reviewapp.compliance.vocabulary import meaning_of

PHRASES: dict[str, str] = {
    "audit.log_started": "began the log",
    "audit.heartbeat": "said that the log is alive",
    "audit.key_rotated": "gave the log a new key",
    "audit.checkpoint_published": "brought a signed head of the log to $place",
    "audit.checkpoint_withheld": "could not bring a signed head of the log to $place",
    "audit.witness_began": "began to vouch for the log $what",
    "audit.witness_refused": "did not vouch for the log $what: it does not extend what was seen of it",
    "audit.viewed": "read this log; rows shown: $rows",
    "audit.viewed event": "opened one event of this log",
    "audit.exported": "took a part of this log away as $format; rows: $rows",
    "audit.verification_requested": "asked to have the whole log verified",
    "audit.verified": "verified the whole log: $result",
    "audit.payload_erased": "erased payloads of the log by right",
    "access.signed_in": "signed in",
    "access.sign_in_failed": "was refused at sign-in as $username",
    "access.identity_confirmed": "proved once more who they are",
    "access.signed_out": "signed out",
    "access.denied": "was refused: $reason",
    "access.user_created": "made the account $what",
    "access.user_invited": "invited $what",
    "access.invitation_accepted": "accepted the invitation",
    "access.invitation_withdrawn": "withdrew the invitation of $what",
    "access.password_link_issued": "made a link with which $what sets a new password",
    "access.password_changed": "set another password",
    "access.user_deactivated": "closed the account of $what",
    "access.user_reactivated": "opened the account of $what again",
    "access.session_ended": "ended sessions of $what",
    "access.project_created": "made the project $what",
    "access.role_granted": "gave $what the role $role on $place",
    "access.role_revoked": "took the role $role on $place from $what",
    "access.group_role_granted": "gave the group $group the role $role on $place",
    "access.group_role_revoked": "took the role $role on $place from the group $group",
    "access.groups_changed": "came from the identity provider with other groups",
    "access.identity_linked": "linked $what with a person of the identity provider",
    "access.identity_unlinked": "removed the link of $what with the identity provider",
    "access.second_factor_added": "set up a second factor",
    "access.second_factor_renamed": "gave a security key another name",
    "access.second_factor_removed": "removed a second factor of $what",
    "access.recovery_codes_made": "made new recovery codes",
    "access.token_created": "made the API token $what",
    "access.token_revoked": "ended the API token $what",
    "access.tidied": "dropped sessions that had run out",
    "ingest.outputs_ingested": "sent outputs to project $what: $accepted accepted, $rejected rejected",
    "ingest.signals_ingested": "sent $accepted signals of end users to project $what",
    "ingest.pairs_ingested": "sent pairs of outputs to project $what: $accepted accepted, $rejected rejected",
    "ingest.outputs_selected": "selected $selected outputs of project $what for review",
    "ingest.outputs_viewed": "read the text of $n outputs of project $what",
    "ingest.rule_created": "made the sampling rule $what",
    "ingest.rule_tried": "tried a sampling rule on past traffic of project $what",
    "ingest.rule_backfilled": "applied the sampling rule $what to past traffic",
    "ingest.texts_dropped": "dropped the text of unselected outputs of project $what",
    "rubrics.drafted": "saved a draft of the rubric $what",
    "rubrics.published": "published version $version of the rubric $what",
    "queues.created": "made the queue $what",
    "queues.items_enqueued": "put items into the queue $what",
    "queues.item_leased": "took $object in queue $queue and was shown its text",
    "queues.item_viewed": "opened $object in queue $queue, taken before",
    "queues.item_skipped": "passed $object in queue $queue on: $reason",
    "queues.lease_released": "gave $object in queue $queue back",
    "queues.seats_closed": "closed seats at items whose text was erased",
    "grading.draft_saved": "saved an unfinished answer on $object",
    "grading.review_submitted": "submitted a $object",
    "grading.review_undone": "took a submitted $object back",
    "grading.reviews_imported": "imported reviews into the queue $what",
    "grading.review_imported": "imported a $object",
    "grading.extra_seat_added": "disagreed with others on $object, so one more reviewer was asked",
    "grading.item_adjudicated": "settled $object: $reason",
    "grading.reviews_viewed": "read other people's reviews of $object",
    "agreement.report_refreshed": "had the agreement of queue $what computed anew",
    "judge.created": "made $object",
    "judge.run_created": "asked the judge $judge to run over $items items",
    "judge.run_finished": "ended a run of the judge $judge: $state",
    "judge.run_cancelled": "cancelled a run of the judge $judge",
    "judge.verdicts_recorded": "recorded $verdicts verdicts of the judge $judge on $external_id",
    "judge.verdicts_imported": "imported verdicts of the judge $what",
    "exports.dataset_created": "defined the dataset $what",
    "exports.version_requested": "asked for a frozen version of the dataset $what",
    "exports.version_frozen": "froze a version of the dataset $what",
    "exports.version_failed": "could not build a version of the dataset $what",
    "exports.version_downloaded": "downloaded version $number of the dataset $dataset as $format, $rows rows",
    "exports.version_withdrawn": "withdrew the files of a version of the dataset $what after an erasure",
    "compliance.erasure_requested": "asked for $object",
    "compliance.erasure_approved": "approved $object",
    "compliance.erasure_refused": "refused $object",
    "compliance.erasure_finished": "carried out $object",
    "compliance.erasure_stopped": "met a fault in $object and goes on by itself",
    "compliance.erasure_reapplied": "erased again what a restored backup brought back",
    "compliance.subject_reported": "was given what is held about a data subject",
    "demo.sample_loaded": "loaded the sample project",
}


def act_of(event: str, words: Mapping[str, Any]) -> str | None:
    """What was done, to be said after a name; None when the words for it are gone."""
    phrase = PHRASES.get(f"{event} {words.get('kind')}") or PHRASES.get(event)
    if phrase is None:
        return None
    said = {name: _plain(value) for name, value in words.items() if value is not None and value != ""}
    try:
        return Template(phrase).substitute(said)
    except (KeyError, ValueError):
        return None


def sentence(shown: Mapping[str, Any], *, actor: str, words: Mapping[str, Any]) -> str:
    """The whole sentence of an event; shown is API.md's audit event, actor how the one who acted is called."""
    act = act_of(shown["event"], words)
    return f"{actor} {act}{'' if act.endswith('.') else '.'}" if act else f"{actor}: {meaning_of(shown['event'])}"


def words_of(
    shown: Mapping[str, Any], names: Mapping[tuple[str, str], str], kinds: Mapping[str, str]
) -> dict[str, Any]:
    """The words of a phrase. names: (kind, id) -> name, as far as known; kinds: kind -> word for it."""
    said = shown["payload"] or {}
    before, after = (said.get(part) for part in ("before", "after"))
    kind, pk = shown["object_kind"], shown["object"]
    what = names.get((kind, pk)) or (pk if len(pk) < 30 else f"{pk[:8]}…")
    words = dict(said)
    for values in (before, after):
        words |= values if isinstance(values, dict) else {}
    words |= {"kind": kind, "what": what, "object": f"{kinds.get(kind, kind)} {what}"}
    on, where = words.get("on"), str(words.get("id", ""))
    if on:
        words["place"] = "the installation" if on == "installation" else f"{on} {names.get((on, where)) or where[:8]}"
    return words


def wanted_names(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (kind, id) pairs whose names the sentence of an event can use."""
    said = shown["payload"] or {}
    places = [
        part for part in (said, said.get("after")) if isinstance(part, dict) and part.get("on") and part.get("id")
    ]
    return [(shown["object_kind"], shown["object"]), *((str(part["on"]), str(part["id"])) for part in places)]


def _plain(value: Any) -> str:
    text = str(len(value)) if isinstance(value, list | dict) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
