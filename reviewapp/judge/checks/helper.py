"""The process in which patterns and schemas meet production text. Run as a script; stdin and stdout are JSON lines.

It is killed when a text takes too long, so nothing here may be shared. `{"op": "search", "pattern", "texts"}` answers a
list of booleans, `{"op": "capture", "pattern", "text"}` the distinct texts of group 1, `{"op": "schema", "schema",
"text"}` whether the text is JSON of that form. An answer is `{"found": …}` or `{"error": "…"}`.
"""

import importlib
import json
import re
import resource
import sys
import warnings
from typing import Any

MAX_CAPTURES = 1_000
MEMORY = 512 * 1024 * 1024


def _answer(question: dict[str, Any]) -> Any:
    if question["op"] == "search":
        pattern = re.compile(question["pattern"])
        return [pattern.search(text) is not None for text in question["texts"]]
    if question["op"] == "capture":
        captured: dict[str, None] = {}
        for match in re.compile(question["pattern"]).finditer(question["text"]):
            captured[match[1] or ""] = None
            if len(captured) >= MAX_CAPTURES:
                break
        return list(captured)
    return _is_of_schema(question["schema"], question["text"])


def _is_of_schema(schema: Any, text: str) -> bool:
    # Loaded on first use: most judges have no schema. The empty registry keeps `$ref` from fetching anything.
    validator = importlib.import_module("jsonschema").Draft202012Validator
    registry = importlib.import_module("referencing").Registry()
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return bool(validator(schema, registry=registry).is_valid(value))


def main() -> None:
    """Answer until stdin ends."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        try:
            answer = {"found": _answer(json.loads(line))}
        except Exception as error:  # whatever a pattern or schema does, it is an answer about that text
            answer = {"error": type(error).__name__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
