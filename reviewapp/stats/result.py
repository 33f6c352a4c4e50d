"""The envelope of every statistic: a value with its interval, or the reason why there is none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, TypedDict

DEFAULT_CONFIDENCE: Final = 0.95

UNDEFINED_SENTENCES: Final[Mapping[str, str]] = {
    "no_data": "there are no labels yet",
    "fewer_than_two_raters": "fewer than two reviewers have answered",
    "no_pairable_units": "no item was answered by two reviewers",
    "no_variation": "only one category was used",
    "zero_variance": "all values are the same",
    "single_unit": "only one item was answered by two reviewers",
    "no_predicted_positives": "nothing was predicted positive",
    "no_actual_positives": "nothing was actually positive",
    "too_few_labels": "there are too few labels",
    "not_connected": "some contestants were never compared, not even through others",
    "not_strongly_connected": "some contestants won or lost every comparison, so their strength has no bound",
    "unattainable": "the wanted guarantee cannot be reached with this data",
    "probabilities_missing": "some items were selected with unknown probability",
    "design_incomplete": "too few items were answered by all of the reviewers",
    "not_applicable": "this statistic does not apply to this kind of answer",
}

WARNING_SENTENCES: Final[Mapping[str, str]] = {
    "low_information": "few items carry information; the interval may be too narrow",
    "ci_degenerate": "the data show no spread; the interval is a bound",
    "clipped": "the interval was cut at the edge of the scale",
    "kish_n_low": "unequal weights leave an effective size below 30",
    "not_converged": "the fit did not settle",
    "prevalence_extreme": "nine in ten labels or more are in one category",
    "nonresponse": "more than a tenth of the selected items has no answer",
    "extrapolated": "the figure reaches beyond the data",
}


class StatDict(TypedDict):
    """The public shape {stat} of a figure; safe for `json.dumps(..., allow_nan=False)`."""

    value: float | None
    interval: list[float] | None
    confidence: float
    method: str
    n: int
    undefined: str | None
    reason: str | None
    warnings: list[str]


@dataclass(frozen=True)
class Stat:
    """One statistic.

    value: the figure, null exactly when `undefined` is set.
    interval: lower and upper bound at `confidence` (two-sided, 0..1), or null where none can be given.
    method: how the interval was made, in words.  n: how many independent units it rests on.
    undefined: a key of UNDEFINED_SENTENCES.  reason: its sentence.  warnings: keys of WARNING_SENTENCES.
    se: standard error on the scale of `value`, where there is one; not part of the public shape.
    Raises ValueError for NaN, infinity, an unknown code, an inverted interval, or a value beside `undefined`.
    """

    value: float | None
    interval: tuple[float, float] | None
    confidence: float
    method: str
    n: int
    undefined: str | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    se: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _plain(self.value))
        object.__setattr__(self, "se", _plain(self.se))
        object.__setattr__(self, "n", int(self.n))
        if self.interval is not None:
            low, high = (float(bound) + 0.0 for bound in self.interval)
            object.__setattr__(self, "interval", (low, high))
        self._check_codes()
        self._check_numbers()

    def _check_codes(self) -> None:
        if (self.value is None) != (self.undefined is not None):
            raise ValueError("a statistic has a value or a reason why not, never both or neither")
        if self.undefined is not None:
            if self.undefined not in UNDEFINED_SENTENCES:
                raise ValueError(f"unknown undefined code {self.undefined!r}")
            if self.interval is not None:
                raise ValueError("an undefined statistic has no interval")
            object.__setattr__(self, "reason", self.reason or UNDEFINED_SENTENCES[self.undefined])
        unknown = set(self.warnings) - set(WARNING_SENTENCES)
        if unknown:
            raise ValueError(f"unknown warning codes {sorted(unknown)}")
        object.__setattr__(self, "warnings", tuple(dict.fromkeys(self.warnings)))

    def _check_numbers(self) -> None:
        numbers = [self.confidence, *(self.interval or ()), self.value or 0.0, self.se or 0.0]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"a statistic holds finite numbers only, not {numbers}")
        if not 0 < self.confidence < 1:
            raise ValueError("confidence lies between 0 and 1")
        if self.interval is not None and self.interval[0] > self.interval[1]:
            raise ValueError(f"inverted interval {self.interval}")

    @classmethod
    def undefined_because(
        cls,
        code: str,
        reason: str | None = None,
        *,
        method: str = "",
        n: int = 0,
        confidence: float = DEFAULT_CONFIDENCE,
        warnings: tuple[str, ...] = (),
    ) -> Self:
        """A statistic without value. `reason` defaults to the plain sentence of `code`."""
        return cls(None, None, confidence, method, n, undefined=code, reason=reason, warnings=warnings)

    def as_dict(self) -> StatDict:
        """The public shape: value, interval, confidence, method, n, undefined, reason, warnings."""
        return {
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "confidence": self.confidence,
            "method": self.method,
            "n": self.n,
            "undefined": self.undefined,
            "reason": self.reason,
            "warnings": list(self.warnings),
        }


def _plain(number: float | None) -> float | None:
    """A Python float; adding zero turns -0.0 into 0.0, which reads better on a page."""
    return None if number is None else float(number) + 0.0
