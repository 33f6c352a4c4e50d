"""What travels with a bundle: `verify.py`, which needs only Python's standard library, and nothing of this house."""
