"""Work of this room that beat starts."""

from celery import shared_task

from reviewapp.queues import services


@shared_task(name="reviewapp.queues.tasks.pull_selections")
def pull_selections() -> None:
    """Make items of what the rules selected, for every open queue; selections already pulled are left as they are."""
    services.pull_all()
