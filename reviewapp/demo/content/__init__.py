"""The words of the sample project: a support assistant for Halyard, a home battery that does not exist.

For: everything that `make demo` loads, as plain data and pure functions. May import: the standard library and this
package, nothing else; the loader beside it (`reviewapp.demo`) is what pushes this through the services.

Decided, 2026-11-21:
- `situations/*.json` are written by hand: one customer's question, what the assistant retrieved, and three different
  answers, one per configuration. `knowledge.json` holds the documents that several situations share.
- Each answer has a `truth`: how good it is per criterion and why. It feeds the sample reviews and signals and never
  enters an output; a test holds that.
- Each situation comes in three or four surface forms (names, serials, dates, openings), consistent over question,
  documents and answer. The story: each question is answered by all three configurations, one answer is served to the
  customer, the other two run in the shadow (`metadata.served`). Only served answers carry signals.
- Nothing is random: every choice is read from a SHA-256 of the ids it concerns (`chance`), so two loads agree to the
  byte and one more situation does not move the others.
"""
