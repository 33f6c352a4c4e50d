"""Who works in the sample project, and how each of them judges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """`lean` moves the levels this person gives (negative is strict), `noise` spreads them, `slip` is the share of
    yes-or-no and one-of-several questions answered with a neighbouring value."""

    username: str
    name: str
    roles: tuple[str, ...]
    lean: float = 0.0
    noise: float = 0.4
    slip: float = 0.05


PEOPLE = (
    Person("ada", "Ada Lindqvist", ("admin",)),
    Person("max", "Max Oyelaran", ("manager",)),
    Person("otto", "Otto Brennecke", ("auditor",)),
    Person("ivy", "Ivy Castellan", ("adjudicator",), lean=0.0, noise=0.15, slip=0.01),
    Person("rita", "Rita Moreau", ("reviewer",), lean=-0.2, noise=0.35, slip=0.03),
    Person("rob", "Rob Achterberg", ("reviewer",), lean=0.25, noise=0.45, slip=0.07),
    Person("rosa", "Rosa Iwamoto", ("reviewer",), lean=0.0, noise=0.35, slip=0.05),
    Person("june", "June Halloran", ("reviewer",), lean=0.1, noise=0.5, slip=0.08),
    Person("sami", "Sami Virtala", ("reviewer",), lean=-0.05, noise=0.65, slip=0.12),
)
REVIEWERS = tuple(person.username for person in PEOPLE if "reviewer" in person.roles)


def person_named(username: str) -> Person:
    """Raises KeyError when nobody has this name."""
    return {person.username: person for person in PEOPLE}[username]
