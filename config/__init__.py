"""config: how the house is wired. Settings, environment, URLs and processes; no domain words."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
