"""Agreement that keeps the raters apart: two raters, many raters, and complete blocks of scores."""

from reviewapp.stats.pairs.cohen import cohen_kappa
from reviewapp.stats.pairs.conger import conger_kappa
from reviewapp.stats.pairs.icc import icc_1, icc_1k, icc_2, icc_2k, icc_3, icc_3k

__all__ = ["cohen_kappa", "conger_kappa", "icc_1", "icc_1k", "icc_2", "icc_2k", "icc_3", "icc_3k"]
