"""Compile every template of the project, so that a misspelt tag fails here and not on somebody's screen."""

import os
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402 (after the path and the settings are named)
from django.template import TemplateSyntaxError  # noqa: E402
from django.template.loader import get_template  # noqa: E402


def problems() -> list[str]:
    """One line per template that does not compile."""
    folder = TREE / "templates"
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            get_template(name)
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            lines.append(f"templates/{name}: {error}")
    return lines


if __name__ == "__main__":
    django.setup()
    found = problems()
    print("\n".join(found) or "templates compile")
    sys.exit(1 if found else 0)
