"""Benchmarks, side by side: what this application does through HTTP, and the least that the machine under it needs.

`make bench` starts a stack of its own (PostgreSQL with fsync on, Redis, two web workers, the sequencer, a Celery
worker) on a fresh migrated database, speaks to it over loopback with tokens, and prints ratios. It is no room of the
application and tests nothing: it measures. It may import `reviewapp` (to make people, rubrics and queues through the
services) and is imported by nobody.

Decided (2026-11-21):
- Payload: one item is a prompt of 400 and an answer of 1,200 characters and ten more values, about 2.2 KB of JSON; one
  grade is a level of 1 to 5, a choice of three, and a comment of 60 characters. The rivals were measured on the same,
  on this kind of machine but in other runs; their figures stand in `rivals.py` and are printed as such.
- Each ratio is taken in one run: ours and the floor take turns for several rounds, and the ratio is the median over the
  rounds, with its smallest and largest. A ratio survives a noisy neighbour better than a figure per second.
- The floor does the same work with nothing above PostgreSQL: COPY of the very same rows, a claim by `SKIP LOCKED` and
  one insert, a server-side cursor over the same items, one GROUP BY.
- CPU per operation (web processes and PostgreSQL together) is printed beside: it is what two runs can be compared by.
- Statements per request are counted in process, around Django's connection; `COPY`, `BEGIN` and `COMMIT` do not pass
  there and are not counted.
"""
