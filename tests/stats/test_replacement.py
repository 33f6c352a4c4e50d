"""The alternative annotator test against its definition written out in loops."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from reviewapp.stats.patterns import Ratings
from reviewapp.stats.replacement import alt_test


def panel(seed, *, n=60, people=3, judge_right=0.8, human_right=0.8):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n)

    def marks(right):
        return np.where(rng.random(n) < right, truth, rng.integers(0, 4, n)).tolist()

    rows = [
        (u, f"person {r}", m) for r in range(people) for u, m in enumerate(marks(human_right)) if rng.random() < 0.9
    ]
    return Ratings.from_rows(rows, range(4)), dict(enumerate(marks(judge_right)))


def written_out(ratings, verdicts, person, *, epsilon, score):
    labels = {}
    for u, r, c in zip(ratings.unit, ratings.rater, ratings.code, strict=True):
        labels.setdefault(ratings.units[u], {})[ratings.raters[r]] = int(c)
    judge_wins, human_wins = [], []
    for unit, by in labels.items():
        others = [mark for name, mark in by.items() if name != person]
        if person not in by or not others:
            continue
        judge, human = (
            np.mean([x == o for o in others])
            if score == "accuracy"
            else -math.sqrt(np.mean([(x - o) ** 2 for o in others]))
            for x in (verdicts[unit], by[person])
        )
        judge_wins.append(judge >= human)
        human_wins.append(human >= judge)
    gap = np.array(human_wins, float) - np.array(judge_wins, float)
    t = (gap.mean() - epsilon) / (gap.std(ddof=1) / math.sqrt(len(gap)))
    return np.mean(judge_wins), stats.t.cdf(t, len(gap) - 1)


@pytest.mark.parametrize("score", ["accuracy", "rmse"])
@pytest.mark.parametrize("epsilon", [0.1, 0.2])
def test_the_test_follows_its_definition(score, epsilon):
    ratings, verdicts = panel(1)
    found = alt_test(ratings, verdicts, score=score, epsilon=epsilon)
    expected = [written_out(ratings, verdicts, name, epsilon=epsilon, score=score) for name in ratings.raters]
    assert [found.p_values[name] for name in ratings.raters] == pytest.approx([p for _, p in expected])
    assert found.advantage_probability == pytest.approx(np.mean([rho for rho, _ in expected]))


def test_a_judge_as_good_as_people_passes_and_a_poor_one_does_not():
    assert alt_test(*panel(2, n=400, judge_right=0.95)).passes
    poor = alt_test(*panel(2, n=400, judge_right=0.4))
    assert (poor.passes, poor.winning_rate) == (False, 0.0)


def test_people_are_many_questions_and_the_procedure_holds_under_any_dependence():
    found = alt_test(*panel(4, n=100))
    ordered = sorted(found.p_values.values())
    limits = [0.05 * rank / 3 / (1 + 1 / 2 + 1 / 3) for rank in (1, 2, 3)]
    assert [p <= limit for p, limit in zip(ordered, limits, strict=True)] == [True, False, False]
    assert found.winning_rate == pytest.approx(1 / 3)


def test_a_judge_that_never_differs_from_people_who_never_differ_wins():
    rows = [(u, name, u % 2) for u in range(40) for name in ("rita", "rob")]
    found = alt_test(Ratings.from_rows(rows, [0, 1]), {u: u % 2 for u in range(40)})
    assert (found.winning_rate, found.advantage_probability) == (1.0, 1.0)
    opposite = alt_test(Ratings.from_rows(rows, [0, 1]), {u: 1 - u % 2 for u in range(40)})
    assert (opposite.winning_rate, opposite.advantage_probability) == (0.0, 0.0)


def test_what_cannot_be_tested_says_why():
    def found(rows, verdicts):
        return alt_test(Ratings.from_rows(rows, [0, 1]), verdicts)

    assert found([], {}).undefined == "no_data"
    assert found([(1, "rita", 0), (2, "rob", 1)], {1: 0, 2: 0}).undefined == "fewer_than_two_raters"
    few = found([(1, "rita", 0), (1, "rob", 1)], {1: 0})
    assert few.undefined == "too_few_labels"
    assert "30" in few.reason
    assert json.loads(json.dumps(few.as_dict(), allow_nan=False))["passes"] is None
    with pytest.raises(ValueError, match="no categories"):
        found([(1, "rita", 0)], {1: 7})
