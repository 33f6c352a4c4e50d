"""How a judge version answers: by a language model or by checks. Nothing here touches the database while it answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from reviewapp.ingest.models import Output
from reviewapp.judge.asking import Question, ask_about, most_it_can_cost
from reviewapp.judge.checks.options import read_options
from reviewapp.judge.checks.run import run_check
from reviewapp.judge.checks.sandbox import Sandbox
from reviewapp.judge.definitions import is_key_name, judge_destination, read_parameters
from reviewapp.judge.drafts import Answer, Answered, Draft, Subject
from reviewapp.judge.models import JudgeVersion
from reviewapp.lib.errors import DomainError
from reviewapp.lib.llm import Endpoint
from reviewapp.rubrics.models import Criterion

LLM_THREADS = 8
PROGRAM_BATCH = 20
NO_KEY = "none"  # local servers ask for some text here


class CannotAnswer(Exception):
    """The set-up does not work on this machine; the sentence ends the run."""


@dataclass(frozen=True)
class Answerer:
    """answer: safe to call from `batch` threads when `is_threaded`. claim_seconds: longer than a batch can take."""

    answer: Answer
    most_it_can_cost: Callable[[Subject], Decimal]
    batch: int
    claim_seconds: float
    is_threaded: bool


@contextmanager
def answerer_of(version: JudgeVersion) -> Iterator[Answerer]:
    """Ready to answer. Raises CannotAnswer."""
    criteria = list(version.rubric_version.criteria.filter(key__in=version.criteria))
    if version.judge.kind == "program":
        with Sandbox() as sandbox:
            yield _program(version, criteria, sandbox)
    else:
        yield _language_model(version, criteria)


def _program(version: JudgeVersion, criteria: list[Criterion], sandbox: Sandbox) -> Answerer:
    by_key = {criterion.key: criterion for criterion in criteria}
    checks = [(by_key[check["criterion"]], read_options(check["check"], check["options"])) for check in version.checks]

    def answer(subject: Subject) -> Answered:
        if not isinstance(subject, Output):
            raise TypeError("checks answer criteria of one output")
        results = [(criterion, run_check(options, subject, sandbox)) for criterion, options in checks]
        return Answered(
            [
                Draft(criterion, value=checked.value, error=checked.error, rationale=checked.rationale)
                for criterion, checked in results
            ]
        )

    return Answerer(answer, lambda _: Decimal(0), PROGRAM_BATCH, claim_seconds=30.0, is_threaded=False)


def _language_model(version: JudgeVersion, criteria: list[Criterion]) -> Answerer:
    try:
        destination = judge_destination(version.base_url)
        parameters = read_parameters(version.parameters)
    except DomainError as error:
        raise CannotAnswer(error.detail) from error
    endpoint = Endpoint(destination, version.model, key=_key(version), seconds=parameters.timeout_seconds)
    question = Question(endpoint, version.prompt, parameters, criteria, version.samples)
    n_calls = version.samples * (2 if any(criterion.kind == "preference" for criterion in criteria) else 1)
    return Answerer(
        lambda subject: ask_about(question, subject),
        lambda subject: most_it_can_cost(question, subject),
        LLM_THREADS,
        claim_seconds=n_calls * parameters.timeout_seconds + 5,
        is_threaded=True,
    )


def _key(version: JudgeVersion) -> str:
    if not version.key_name:
        return NO_KEY
    key = os.environ.get(version.key_name, "") if is_key_name(version.key_name) else ""
    if not key:
        raise CannotAnswer(f"The environment variable {version.key_name} is not set where the worker runs.")
    return key
