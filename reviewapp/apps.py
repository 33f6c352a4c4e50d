"""The one Django application of the house."""

from django.apps import AppConfig


class ReviewappConfig(AppConfig):
    """Tables live in the rooms; `reviewapp.models` imports them all."""

    name = "reviewapp"
    default_auto_field = "django.db.models.BigAutoField"
