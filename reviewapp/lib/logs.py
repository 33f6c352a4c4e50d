"""One event, one line, JSON: control characters from outside cannot forge a second line."""

import json
import logging

from reviewapp.lib.clock import rfc3339, utc_now


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
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)
