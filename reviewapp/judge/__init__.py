"""judge: LLM judges and programmatic checks that answer a rubric's criteria, and how far people agree with them.

A judge has frozen versions; a run lets one version answer over a queue's outputs or pairs; a verdict is one answer on
one criterion. Calibration compares verdicts with the settled labels of a queue.

    definitions  what a judge may be (JudgeIn), checked before anything is stored
    services     create_judge, start_run, cancel_run
    work         a run's items: claim, answer, store, finish; safe when a worker dies at any point
    answering    one subject -> draft verdicts, by a language model (`asking`) or by checks (`checks`)
    imports      verdicts from elsewhere
    calibration  selectors that set verdicts beside labels; the mathematics is in `stats`

May import: agreement, grading, queues, rubrics, ingest, access, audit, stats, lib.

Programmatic checks. Each answers one criterion, reads one text (`field`: `output` unless stated, else `input` or
`context`), and names the value that it gives for what it finds. Every named value must be an answer of the criterion.
- `regex`: `pattern` (Python syntax, inline flags); `found` when it matches anywhere, else `missing`.
- `citation`: `pattern` with one group that captures a cited id; `none` when the text cites nothing, `unknown` when an
  id is cited that is not in the context, else the value of the first of `bands` whose `below` is above the share of
  paragraphs and list lines that hold a citation; the last band has no `below`.
- `length`: `unit` (`words`, `characters` or `lines`) and `bands` over the length.
- `similarity`: `against` (`input`, `context`, or `metadata.<key>`), `method` (`ratio`, `partial_ratio`,
  `token_set_ratio` of rapidfuzz, 0 to 1) and `bands` over it.
- `json_schema`: `schema` (2020-12); `valid` when the text is JSON of that form, else `invalid`.

Decided 2026-11-21:
- Patterns and schemas run in a helper process with a deadline per text (`checks/helper.py`). Refusing nested
  quantifiers by syntax misses `(a|a)*b` and forbids harmless patterns; a process that can be killed misses nothing. A
  check that takes too long is the verdict error `timeout`.
- Rows are the queue of record: RunItem says what waits, `claimed_until` fences a dead worker, a claim raises the item's
  `cost_usd` by the most that its calls can cost. So the sum over a run never passes its budget, whatever dies when.
- The SDK does not retry (see `lib.llm`): a failure that may pass puts the item back with a later `claimed_until`.
- Verdicts are append-only. A later run asks again where there is only an error; where there is a value, nothing can
  follow it.
- The untrusted text stands between markers with a random nonce per call, the answer must be exactly our schema and
  echo the nonce, and nothing in the text can change the schema, the destination or the rubric.
- Confidence: probability of the verdict's first tokens among the allowed answers; else, with `samples` over 1, the
  share of samples that said the same; else none. It is reported raw: no mapping is fitted, so calibration figures are
  out of sample unless the prompt quotes graded examples.
- Verdict texts (rationale, raw) quote production text. No page and no answer of the API shows them.
"""
