"""A judge's verdicts beside the settled labels of a queue: API.md's Calibration.

Errors are never scores: they are counted and left out. Nothing is fitted here (`folds` is 0), so every figure is out of
sample, unless the judge's own prompt quotes graded examples. System level (`unit`) compares means per model or
configuration; the means are numpy's over the outputs in the order of their ids, and the last bits of two such means
decide whether they tie, as in the published figures that this is tested against.
"""

from reviewapp.judge.calibration.report import LABELS, UNITS, calibration

__all__ = ["LABELS", "UNITS", "calibration"]
