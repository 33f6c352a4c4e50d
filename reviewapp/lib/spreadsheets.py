"""Cells that no spreadsheet runs. Source: OWASP, CSV injection."""

from __future__ import annotations

import re
from typing import Any

# At the start of any line, after any blanks (also no-break ones), also as full-width forms: what begins a formula.
_FORMULA = re.compile(r"(?:\A|(?<=[\n\r]))(?=[^\S\n\r\t]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")


def safe_cell(cell: Any) -> Any:
    """A text with an apostrophe before every line that would begin a formula; true and false as JSON writes them.

    The first line gets one too when only a later line would: a reader sees at once that the cell was changed.
    """
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not isinstance(cell, str) or not _FORMULA.search(cell):
        return cell
    marked = _FORMULA.sub("'", cell)
    return marked if marked.startswith("'") else "'" + marked
