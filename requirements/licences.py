"""Refuse a dependency whose licence does not fit ours (Apache-2.0), or that does not say which it has.

What is shipped (base.txt, and demo.txt for the demo) may be permissive or weakly copyleft. Tools of the developers
(dev.txt) are not shipped, so those named below may be GPL. Run with the interpreter of the virtual environment.
"""

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
# Weak copyleft is fine unmodified and imported: psycopg (LGPL), pathspec (MPL).
ALLOWED: Final = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "LGPL-3.0-only", "MIT"),
    *("MIT-0", "MPL-2.0", "PSF-2.0", "PostgreSQL", "Zlib"),
}
# How older packages spell them, in the License field or as a classifier.
SPELLINGS: Final = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "New BSD": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Development only, never imported by the product: an oracle for the statistics, and the template linter.
COPYLEFT_TOOLS: Final = {"krippendorff": "GPL-3.0-or-later", "djlint": "GPL-3.0-or-later"}
PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def pinned(lock: str) -> set[str]:
    """The packages that a lock file names."""
    return set(PINNED.findall((HERE / lock).read_text(encoding="utf-8")))


def licences(name: str) -> list[str] | None:
    """What an installed package says of its licence, one entry per alternative or part; None when not installed."""
    try:
        facts = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None  # the lock has it for another system or Python
    classifiers = [text.split("::")[-1].strip() for text in facts.get_all("Classifier") or [] if text[:7] == "License"]
    stated = facts.get("License-Expression") or facts.get("License") or ""
    parts = re.split(r" AND | OR ", stated)
    if facts.get("License-Expression") or all(SPELLINGS.get(part, part) in ALLOWED for part in parts):
        return parts
    return classifiers or [stated.splitlines()[0][:60] if stated else "not stated"]


def complaints() -> list[str]:
    """One line per package that does not fit."""
    shipped = pinned("base.txt") | pinned("demo.txt")
    lines = []
    for name in sorted(shipped | pinned("dev.txt")):
        found = [SPELLINGS.get(part, part) for part in licences(name) or []]
        wrong = [part for part in found if part not in ALLOWED]
        if wrong and (name in shipped or COPYLEFT_TOOLS.get(name) != wrong[0]):
            lines.append(f"{name}: {', '.join(wrong)}")
    return lines


if __name__ == "__main__":
    problems = complaints()
    print(
        "\n".join(["Licences that are not on the list of requirements/licences.py:", *problems]) if problems else "ok"
    )
    sys.exit(1 if problems else 0)
