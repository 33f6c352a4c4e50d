"""stats: the mathematics of this house, as pure functions of numbers.

For: every room that shows a figure. Each statistic comes back as one `result.Stat`: a value with its interval and
method, or no value with a code and a sentence that say why. NaN and infinity never leave this room.
May import: numpy, scipy and the standard library. No Django, no other room, no database, no clock.

    result        the envelope `Stat`, its closed lists of reasons and warnings
    intervals     Wilson, Clopper-Pearson, Tango, and the delete-one-unit jackknife on log(1 - coefficient)
    patterns      the pattern table, input of every count statistic; `Ratings`, the long form that knows the raters
    agreement     percent, Krippendorff's alpha, Fleiss, Gwet AC1 and AC2, Brennan-Prediger
    pairs         Cohen's kappa from a two-way table, Conger's kappa, the six intraclass correlations
    correlation   Pearson, Spearman, Kendall tau-b
    preference    Bradley-Terry leaderboards with ties, intervals, ranks and the position effect
    judgement     a judge against people: confusion, accuracy, precision, recall, human ceiling, position bias
    replacement   the alternative annotator test: may a judge stand in for a person
    sampling      pass rates of production from outputs selected with known probabilities
    detection     a guardrail: precision, miss rate and recall from samples of both sides
    latent        Dawid-Skene truth and gold-based reviewer accuracy

Decided (2026-11-21):
- Written by hand on numpy and scipy. The known libraries are copyleft, pin old numpy, or build units x values x values
  arrays; they serve as oracles in the tests only.
- Units are random, raters fixed: intervals resample items, or the cluster (prompt) where items share one.
- The category set is the rubric version's, never the observed one, because AC1 and Brennan-Prediger depend on it.
- Deterministic intervals are the default (jackknife, profile formulas): the same rows give the same figure, no seed.
"""
