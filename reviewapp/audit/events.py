"""The closed vocabulary of the log.

What is not listed cannot be recorded; what is listed is emitted somewhere (a test looks).
"""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """`room.thing_done`, in the past tense: the value is what stands in the log and in the API.

    `meaning` is one sentence for auditors; the page of the vocabulary is made from it.
    """

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Event:
        """A member with its sentence."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.meaning = meaning
        return made

    # audit
    LOG_STARTED = "audit.log_started", "The log begins; its first event."
    HEARTBEAT = "audit.heartbeat", "Nothing else happened for a minute; the log is alive."
    KEY_ROTATED = (
        "audit.key_rotated",
        "The log is signed with a new key from here on; both keys stand in the event, and both signed it and its head.",
    )
    CHECKPOINT_PUBLISHED = (
        "audit.checkpoint_published",
        "A signed head of the log reached a place outside the database; once a day for each place.",
    )
    CHECKPOINT_WITHHELD = (
        "audit.checkpoint_withheld",
        "A place outside the database could not be given a head; once until it works again.",
    )
    WITNESS_BEGAN = (
        "audit.witness_began",
        "This installation vouched for the log of another one for the first time.",
    )
    WITNESS_REFUSED = (
        "audit.witness_refused",
        "A signed head of another log came without proof that it extends what was seen of that log: it was rewritten,"
        " or whoever sent the head had no proof. Once a day for each head.",
    )
    AUDIT_VIEWED = (
        "audit.viewed",
        "Somebody read a part of this log; the filters and the number of rows stand in the payload.",
    )
    AUDIT_EXPORTED = (
        "audit.exported",
        "Somebody took a part of this log away; form, filters and the number of rows stand in the payload.",
    )
    VERIFICATION_REQUESTED = (
        "audit.verification_requested",
        "Somebody asked to have the whole log recomputed; a worker does it.",
    )
    AUDIT_VERIFIED = (
        "audit.verified",
        "The whole log was recomputed from its first event; the result stands in the payload.",
    )
    # access
    SIGNED_IN = "access.signed_in", "A person signed in."
    SIGN_IN_FAILED = "access.sign_in_failed", "A sign-in was refused."
    IDENTITY_CONFIRMED = "access.identity_confirmed", "A signed-in person proved once more who they are."
    SIGNED_OUT = "access.signed_out", "A person signed out."
    ACCESS_DENIED = "access.denied", "Somebody was refused an act or an object."
    USER_CREATED = "access.user_created", "An account was made."
    USER_INVITED = "access.user_invited", "A one-time link was made for somebody new; the account waits for it."
    INVITATION_ACCEPTED = "access.invitation_accepted", "Somebody opened their link, set a password and can sign in."
    INVITATION_WITHDRAWN = "access.invitation_withdrawn", "A one-time link was made useless before it was used."
    PASSWORD_LINK_ISSUED = (
        "access.password_link_issued",
        "An admin made a one-time link with which a person sets a new password.",
    )
    PASSWORD_CHANGED = "access.password_changed", "A person set another password; their other sessions end."
    USER_DEACTIVATED = "access.user_deactivated", "An account was closed; its sessions and tokens end."
    USER_REACTIVATED = "access.user_reactivated", "A closed account was opened again, with the roles it still held."
    SESSION_ENDED = (
        "access.session_ended",
        "Sessions of a person were ended: by them, by an admin, or for their age; the reason stands in the payload.",
    )
    PROJECT_CREATED = "access.project_created", "A project was made."
    ROLE_GRANTED = "access.role_granted", "A person was given a role."
    ROLE_REVOKED = "access.role_revoked", "A role was taken from a person."
    GROUP_ROLE_GRANTED = "access.group_role_granted", "A group of the identity provider was given a role."
    GROUP_ROLE_REVOKED = "access.group_role_revoked", "A role was taken from a group of the identity provider."
    GROUPS_CHANGED = (
        "access.groups_changed",
        "At a sign-in the identity provider named other groups for a person than before; their roles follow.",
    )
    IDENTITY_LINKED = "access.identity_linked", "An account was linked with a person of the identity provider."
    IDENTITY_UNLINKED = "access.identity_unlinked", "The link of an account with the identity provider was removed."
    SECOND_FACTOR_ADDED = (
        "access.second_factor_added",
        "A person set up a second factor; its kind stands in the payload.",
    )
    SECOND_FACTOR_RENAMED = "access.second_factor_renamed", "A person gave a security key another name."
    RECOVERY_CODES_MADE = (
        "access.recovery_codes_made",
        "A person made new recovery codes; the old ones stopped working.",
    )
    SECOND_FACTOR_REMOVED = (
        "access.second_factor_removed",
        "A person's second factor was removed: by them, or by an admin because it was lost.",
    )
    TOKEN_CREATED = "access.token_created", "An API token was made."
    TOKEN_REVOKED = "access.token_revoked", "An API token was ended."
    ACCESS_TIDIED = "access.tidied", "Sessions that ran out and answers kept for a day were dropped; counts only."
    # ingest
    OUTPUTS_INGESTED = "ingest.outputs_ingested", "A program sent outputs; counts only."
    SIGNALS_INGESTED = "ingest.signals_ingested", "A program sent signals of end users; counts only."
    PAIRS_INGESTED = "ingest.pairs_ingested", "A program sent pairs of outputs; counts only."
    OUTPUTS_SELECTED = "ingest.outputs_selected", "Sampling rules selected outputs for review."
    OUTPUTS_VIEWED = "ingest.outputs_viewed", "Somebody read production text through the API."
    RULE_CREATED = "ingest.rule_created", "A sampling rule was made."
    RULE_TRIED = "ingest.rule_tried", "A sampling rule was tried on past traffic; nothing was selected."
    RULE_BACKFILLED = "ingest.rule_backfilled", "A sampling rule was applied to past traffic."
    TEXTS_DROPPED = "ingest.texts_dropped", "The text of unselected outputs was dropped after the project's retention."
    # rubrics
    RUBRIC_DRAFTED = "rubrics.drafted", "A rubric draft was saved."
    RUBRIC_PUBLISHED = "rubrics.published", "A rubric version was published and is frozen from then on."
    # queues
    QUEUE_CREATED = "queues.created", "A queue was made."
    ITEMS_ENQUEUED = "queues.items_enqueued", "Items were put into a queue."
    ITEM_LEASED = "queues.item_leased", "A person took an item and was shown its text."
    ITEM_VIEWED = "queues.item_viewed", "A person opened an item that they had taken before."
    ITEM_SKIPPED = "queues.item_skipped", "A person passed an item on, with a reason."
    SEATS_CLOSED = "queues.seats_closed", "Seats at items whose text was erased were closed; counts only."
    LEASE_RELEASED = "queues.lease_released", "A person gave an item back."
    # grading
    DRAFT_SAVED = "grading.draft_saved", "A person's unfinished answer was kept."
    REVIEW_SUBMITTED = "grading.review_submitted", "A person submitted grades or a preference."
    REVIEW_UNDONE = "grading.review_undone", "A person took a submitted review back within the time for that."
    REVIEWS_IMPORTED = "grading.reviews_imported", "Reviews made elsewhere came in; counts only."
    REVIEW_IMPORTED = "grading.review_imported", "One review made elsewhere came in."
    EXTRA_SEAT_ADDED = "grading.extra_seat_added", "Reviewers disagreed, so one more was asked."
    ITEM_ADJUDICATED = "grading.item_adjudicated", "An adjudicator settled a disputed item, with a reason."
    REVIEWS_VIEWED = "grading.reviews_viewed", "Somebody read other people's reviews."
    # agreement
    REPORT_REFRESHED = "agreement.report_refreshed", "An agreement report was computed anew."
    # judge
    JUDGE_CREATED = "judge.created", "A judge, or a new version of one, was made."
    RUN_CREATED = "judge.run_created", "A judge was asked to run."
    RUN_FINISHED = "judge.run_finished", "A judge's run ended."
    RUN_CANCELLED = "judge.run_cancelled", "A judge's run was cancelled."
    VERDICTS_RECORDED = "judge.verdicts_recorded", "A judge answered on one item."
    VERDICTS_IMPORTED = "judge.verdicts_imported", "Verdicts made elsewhere came in; counts only."
    # exports
    DATASET_CREATED = "exports.dataset_created", "A dataset was defined."
    VERSION_REQUESTED = "exports.version_requested", "A frozen version of a dataset was asked for."
    VERSION_FROZEN = "exports.version_frozen", "A dataset version was frozen; its hash stands in the payload."
    VERSION_FAILED = "exports.version_failed", "A dataset version could not be built."
    VERSION_DOWNLOADED = "exports.version_downloaded", "Somebody downloaded a dataset version."
    VERSION_WITHDRAWN = "exports.version_withdrawn", "A dataset version lost its files to an erasure; its hashes stay."
    # compliance
    ERASURE_REQUESTED = "compliance.erasure_requested", "Somebody asked to erase what is held about a data subject."
    ERASURE_APPROVED = "compliance.erasure_approved", "A second person approved an erasure."
    ERASURE_REFUSED = "compliance.erasure_refused", "A second person refused an erasure."
    ERASURE_FINISHED = "compliance.erasure_finished", "An erasure was carried out; how many rows stands in the payload."
    ERASURE_STOPPED = "compliance.erasure_stopped", "An erasure met a fault; it goes on by itself."
    ERASURE_REAPPLIED = "compliance.erasure_reapplied", "What a restored backup brought back was erased again."
    PAYLOAD_ERASED = (
        "audit.payload_erased",
        "Payloads of events were erased by right; the events, the basis and the approver stand in the payload.",
    )
    SUBJECT_REPORTED = "compliance.subject_reported", "Somebody was given what is held about a data subject."
    # demo
    SAMPLE_LOADED = "demo.sample_loaded", "The sample project was loaded."
