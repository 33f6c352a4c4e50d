"""Django's admin is not used: every change goes through a service that asks, changes and records."""
