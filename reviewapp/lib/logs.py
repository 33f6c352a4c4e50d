"""One event, one line, JSON: control characters from outside cannot forge a second line.

What the database says about a refused row stays out: its DETAIL quotes the row, and so people's texts.
"""

import json
import logging
import re

from reviewapp.lib.clock import rfc3339, utc_now

_DETAIL = re.compile(r"^(DETAIL|CONTEXT):.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


class OneLineFormatter(logging.Formatter):
    """`{"at", "level", "logger", "message", "error"?}` on one line, non-ASCII escaped."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": rfc3339(utc_now()),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = _DETAIL.sub("", self.formatException(record.exc_info))
        return json.dumps(line)
