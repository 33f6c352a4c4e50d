"""The ASGI door, for hosts that offer nothing else. WSGI is measured faster with a synchronous ORM (PERFORMANCE.md)."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()
