"""monitoring: production quality per configuration and window, estimates with intervals, traffic, cost, triggers.

May import everything below (`judge`, `guardrails` and down), never `exports`. Decided, 2026-11-21:

- An estimate rests on settled labels of items in queues of the kind `grade` whose inclusion probability is known, and
  on nothing else: items enqueued by hand, imported or gold enter none. It is Hajek's weighted mean (STATS 4.2), method
  `human_only`; judge verdicts join with a later issue, so `n_judged` counts the verdicts that entered: none.
- Who was selected and has no settled label yet is non-response: a label's probability is multiplied by the share that
  answered in its cell of configuration and probability, and more than a tenth missing is said as a warning.
- An output that two queues of the rubric hold counts once, with the larger of its probabilities: all rules share one
  uniform number per output, so that is the probability to be in either.
- A configuration is named by its fingerprint (eight characters or more), its id, or its label; a label that two
  configurations share is refused, because the unit of versioning is the configuration.
- `n_population` counts the outputs that arrived. What the sender sampled away is in the probabilities.
"""
