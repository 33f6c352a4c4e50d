"""Forms of home, by subject."""
