"""The surface of a case: who asks, with which serial and order number, how they open and close their message.

The three configurations of one question share all of it, because they answered the same message.
"""

from __future__ import annotations

import re
from typing import Any

from reviewapp.demo.content.chance import digest, pick, share
from reviewapp.demo.content.library import Situation

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

FIRST_NAMES = {
    "en": (
        "Mara", "Tomas", "Priya", "Edwin", "Noor", "Celia", "Hugh", "Ottilie", "Femi", "Wren", "Dario", "Agnes",
        "Kofi", "Lena", "Imran", "Bridget", "Silas", "Yara", "Conrad", "Maeve", "Rafi", "Greta", "Owen", "Thandi",
    ),
    "es": ("Lucía", "Mateo", "Inés", "Álvaro"),
    "de": ("Jörg", "Anneliese", "Mirko", "Frauke"),
    "ar": ("ليلى", "سامر", "هدى", "كريم"),
    "ja": ("美咲", "健太", "葵", "大輔"),
}  # fmt: skip
FAMILY_NAMES = (
    "Aldous", "Brandt-Ito", "Castellane", "Dunmore", "Eskerlin", "Farrowby", "Gorst", "Hollis", "Ibarne", "Jellicoe",
    "Korvald", "Lindgate", "Marrable", "Nettles", "Ostrava-Hill", "Penhale", "Quillon", "Rosthwaite",
)  # fmt: skip
OPENINGS = {
    "en": ("", "Hi! ", "Hello,\n\n", "Good morning. ", "Hi there. ", "Dear support team,\n\n", "Hey. "),
    "es": ("", "Hola. ", "Buenos días. ", "Buenas tardes:\n\n"),
    "de": ("", "Guten Tag,\n\n", "Hallo! ", "Guten Abend. "),
    "ar": ("", "مرحبًا، ", "السلام عليكم، ", "مساء الخير، "),
    "ja": ("", "こんにちは。", "お世話になります。", "はじめまして。"),
}
CLOSINGS = {
    "en": ("", "", "\n\nThanks, {name}", " Thanks!", "\n\nRegards,\n{name} {family}", " Thank you, {name}."),
    "es": ("", " Gracias, {name}.", "\n\nUn saludo,\n{name}"),
    "de": ("", " Danke!", "\n\nViele Grüße\n{name}"),
    "ar": ("", " شكرًا، {name}."),
    "ja": ("", "よろしくお願いします。{name}"),
}


def values_for(situation: Situation, variant: int) -> dict[str, str]:
    """The value of every placeholder of this surface form. Raises IndexError when the situation has too few forms."""
    seed = (situation.slug, variant)
    name = pick(FIRST_NAMES[situation.language], "name", *seed)
    family = pick(FAMILY_NAMES, "family", *seed)
    closing = pick(CLOSINGS[situation.language], "closing", *seed)
    return {
        "name": name,
        "family": family,
        "serial": "HB10-{}-{}".format(*(digest("serial", *seed)[at : at + 4].upper() for at in (0, 4))),
        "order": f"HL-{10_000 + int(share('order', *seed) * 89_999)}",
        "hello": pick(OPENINGS[situation.language], "opening", *seed),
        "bye": closing.format(name=name, family=family),
        **{key: forms[variant] for key, forms in situation.vary.items()},
    }


def fill(text: str, values: dict[str, str]) -> str:
    """The text with its placeholders replaced. Raises KeyError for a placeholder without a value."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def filled_input(situation: Situation, values: dict[str, str]) -> Any:
    """The customer's words: a text, or the list of messages as `{"role", "content"}`."""
    if isinstance(situation.input, str):
        return fill(situation.input, values).strip()
    return [{"role": turn["role"], "content": fill(turn["content"], values).strip()} for turn in situation.input]


def last_words(messages: Any) -> str:
    """What the customer said last, for a text as well as for a list of messages."""
    return messages if isinstance(messages, str) else str(messages[-1]["content"])
