"""The closed vocabulary of the log.

What is not listed cannot be recorded; what is listed is emitted somewhere (a test looks).
"""

from enum import StrEnum


class Event(StrEnum):
    """`room.thing_done`, in the past tense. The value is what stands in the log and in the API."""

    # audit
    LOG_STARTED = "audit.log_started"
    HEARTBEAT = "audit.heartbeat"
    AUDIT_VIEWED = "audit.viewed"
    # access
    SIGNED_IN = "access.signed_in"
    SIGN_IN_FAILED = "access.sign_in_failed"
    SIGNED_OUT = "access.signed_out"
    ACCESS_DENIED = "access.denied"
    USER_CREATED = "access.user_created"
    USER_DEACTIVATED = "access.user_deactivated"
    PROJECT_CREATED = "access.project_created"
    ROLE_GRANTED = "access.role_granted"
    ROLE_REVOKED = "access.role_revoked"
    TOKEN_CREATED = "access.token_created"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "access.token_revoked"  # noqa: S105 - the name of an event
    # ingest
    OUTPUTS_INGESTED = "ingest.outputs_ingested"
    SIGNALS_INGESTED = "ingest.signals_ingested"
    PAIRS_INGESTED = "ingest.pairs_ingested"
    OUTPUTS_SELECTED = "ingest.outputs_selected"
    OUTPUTS_VIEWED = "ingest.outputs_viewed"
    RULE_CREATED = "ingest.rule_created"
    RULE_TRIED = "ingest.rule_tried"
    RULE_BACKFILLED = "ingest.rule_backfilled"
    # rubrics
    RUBRIC_DRAFTED = "rubrics.drafted"
    RUBRIC_PUBLISHED = "rubrics.published"
    # queues
    QUEUE_CREATED = "queues.created"
    ITEMS_ENQUEUED = "queues.items_enqueued"
    ITEM_LEASED = "queues.item_leased"
    ITEM_VIEWED = "queues.item_viewed"
    ITEM_SKIPPED = "queues.item_skipped"
    LEASE_RELEASED = "queues.lease_released"
    # grading
    DRAFT_SAVED = "grading.draft_saved"
    REVIEW_SUBMITTED = "grading.review_submitted"
    REVIEW_UNDONE = "grading.review_undone"
    REVIEWS_IMPORTED = "grading.reviews_imported"
    REVIEW_IMPORTED = "grading.review_imported"
    EXTRA_SEAT_ADDED = "grading.extra_seat_added"
    ITEM_ADJUDICATED = "grading.item_adjudicated"
    REVIEWS_VIEWED = "grading.reviews_viewed"
    # agreement
    REPORT_REFRESHED = "agreement.report_refreshed"
    # judge
    JUDGE_CREATED = "judge.created"
    RUN_CREATED = "judge.run_created"
    RUN_FINISHED = "judge.run_finished"
    RUN_CANCELLED = "judge.run_cancelled"
    VERDICTS_RECORDED = "judge.verdicts_recorded"
    VERDICTS_IMPORTED = "judge.verdicts_imported"
    # exports
    DATASET_CREATED = "exports.dataset_created"
    VERSION_REQUESTED = "exports.version_requested"
    VERSION_FROZEN = "exports.version_frozen"
    VERSION_FAILED = "exports.version_failed"
    VERSION_DOWNLOADED = "exports.version_downloaded"
    # demo
    SAMPLE_LOADED = "demo.sample_loaded"
