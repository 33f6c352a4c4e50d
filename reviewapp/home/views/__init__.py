"""Pages of home, by subject."""
