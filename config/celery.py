"""The Celery application.

PostgreSQL is the queue of record: a message only nudges, a beat sweep finds what a lost broker forgot.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("reviewapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
ROOMS = (
    "queues",
    "grading",
    "preferences",
    "agreement",
    "judge",
    "guardrails",
    "monitoring",
    "exports",
    "compliance",
    "ingest",
)
app.autodiscover_tasks([f"reviewapp.{room}" for room in ROOMS])
