"""Programmatic checks: their options, the process in which patterns run, and what they answer."""
