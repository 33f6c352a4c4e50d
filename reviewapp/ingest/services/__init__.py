"""Writes of this room."""

from reviewapp.ingest.services.outputs import ingest_outputs
from reviewapp.ingest.services.pairs import ingest_pairs
from reviewapp.ingest.services.reading import view_outputs
from reviewapp.ingest.services.rules import RuleIn, backfill_rule, create_rule, try_rule
from reviewapp.ingest.services.signals import ingest_signals, record_fact, record_facts

__all__ = [
    "RuleIn",
    "backfill_rule",
    "create_rule",
    "ingest_outputs",
    "ingest_pairs",
    "ingest_signals",
    "record_fact",
    "record_facts",
    "try_rule",
    "view_outputs",
]
