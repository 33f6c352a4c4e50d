"""The best rival of each figure, as measured in November 2026 on the same payload, on two cores, in other runs.

Label Studio 1.23.2, doccano 1.8.4 and Phoenix 20.26.1 on PostgreSQL 15 with fsync on. Not measured again here: read a
factor of these as an order of magnitude.
"""

from __future__ import annotations

INGEST_PER_SECOND = 3_197.0
INGEST = "Label Studio 3,197/s, 0.29 ms CPU"
ONE_REVIEWER = "Label Studio next p50 47 ms (no 1-reviewer cycles/s)"
CYCLES_AT_EIGHT_PER_SECOND = 18.0
CYCLES_AT_EIGHT = "Label Studio 18/s (next p50 211 ms, 0 duplicates)"
SUBMIT = "Phoenix 132 submits/s at 8, p50 47 ms"
LEASE_STATEMENTS = "Phoenix 10, Label Studio 46-57"
SUBMIT_STATEMENTS = "Phoenix 8, Label Studio 67"
EXPORT_PER_SECOND = 2_505.0
EXPORT = "doccano 2,505/s, 0.37 ms CPU"
PAGE = "doccano 6 requests, 380 KB"
PAGE_BYTES = 380_000.0
ALPHA = "krippendorff 0.9: 1.85 s for 2.4 M in memory"


def times(ours: float, rival: float) -> str:
    """`3.1x`."""
    return f"{ours / rival:.1f}x"
