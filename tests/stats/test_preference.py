"""Leaderboards: published strengths, who may be ranked at all, and what swapping sides changes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.stats.preference import (
    Comparison,
    Games,
    PairCount,
    fit_davidson,
    fit_half_ties,
    leaderboard,
    leaderboard_from_counts,
)

# Row journal cited by column journal: Biometrika, Communications in Statistics, JASA, JRSS-B.
CITATIONS = [[714, 730, 498, 221], [33, 425, 68, 17], [320, 813, 1072, 142], [284, 276, 325, 188]]
PUDDINGS = [
    *((1, 2, 19, 22, 16), (1, 3, 16, 19, 12), (2, 3, 19, 19, 10), (1, 4, 18, 23, 13), (2, 4, 23, 19, 9)),
    *((3, 4, 19, 20, 15), (1, 5, 13, 19, 18), (2, 5, 16, 20, 12), (3, 5, 16, 15, 17), (4, 5, 17, 14, 16)),
    *((1, 6, 18, 21, 12), (2, 6, 22, 20, 12), (3, 6, 13, 18, 10), (4, 6, 14, 19, 18), (5, 6, 11, 21, 12)),
]


def puddings():
    return Games.from_rows([(i - 1, j - 1, *counts) for i, j, *counts in PUDDINGS], "abcdef")


def se_against_the_first(fit):
    contrasts = np.eye(len(fit.log_worth))[1:]
    contrasts[:, 0] = -1
    return [math.sqrt(fit.variance(contrast)) for contrast in contrasts]


def test_journal_citations():
    rows = [(i, j, CITATIONS[i][j], CITATIONS[j][i], 0) for i in range(4) for j in range(i)]
    fit = fit_half_ties(Games.from_rows(rows, "abcd"))
    assert fit.log_worth - fit.log_worth[0] == pytest.approx([0, -2.949072, -0.479570, 0.268954], abs=1e-6)
    assert se_against_the_first(fit) == pytest.approx([0.102545, 0.060589, 0.070830], abs=1e-6)
    assert fit.deviance == pytest.approx(4.293384, abs=1e-6)
    assert fit.log_worth.mean() == pytest.approx(0, abs=1e-12)


def test_davidsons_puddings():
    fit = fit_davidson(puddings())
    assert fit.share == pytest.approx([0.138803, 0.173001, 0.161747, 0.165373, 0.158685, 0.202389], abs=1e-6)
    assert fit.tie_parameter == pytest.approx(0.746823, abs=1e-6)
    assert fit.log_likelihood == pytest.approx(-809.709510, abs=1e-6)
    assert se_against_the_first(fit) == pytest.approx([0.1872, 0.1935, 0.1882, 0.1927, 0.1924], abs=5e-5)


def test_puddings_with_half_wins():
    share = fit_half_ties(puddings()).share
    assert share == pytest.approx([0.146075, 0.171473, 0.163279, 0.165935, 0.161023, 0.192214], abs=1e-6)


def test_davidson_without_ties_is_bradley_terry():
    games = Games.from_rows([(0, 1, 5, 3, 0), (1, 2, 4, 4, 0), (0, 2, 2, 1, 0)], "abc")
    davidson, plain = fit_davidson(games), fit_half_ties(games)
    assert davidson.log_worth == pytest.approx(plain.log_worth)
    assert davidson.tie_parameter == 0


def test_both_bad_counts_as_a_tie_and_is_shown_apart():
    tie = [PairCount("x", "y", wins_a=4, wins_b=2, ties=3)]
    bad = [PairCount("x", "y", wins_a=4, wins_b=2, ties=1, both_bad=2)]
    first, second = leaderboard_from_counts(tie), leaderboard_from_counts(bad)
    assert first.contestants[0].strength == pytest.approx(second.contestants[0].strength)
    best = second.contestants[0]
    assert (best.name, best.wins, best.losses, best.ties, best.both_bad) == ("x", 4, 2, 1, 2)
    assert second.n_comparisons == 9


def test_comparisons_one_by_one_and_counted_give_the_same_leaderboard():
    single = [Comparison("x", "y", o, f"prompt {k % 3}", "a") for k, o in enumerate(["a", "b", "tie", "a", "both_bad"])]
    rows = [
        PairCount("x", "y", wins_a=2, cluster="prompt 0", first_shown="a"),
        PairCount("x", "y", wins_b=1, both_bad=1, cluster="prompt 1", first_shown="a"),
        PairCount("x", "y", ties=1, cluster="prompt 2", first_shown="a"),
    ]
    first, second = leaderboard(single), leaderboard_from_counts(rows)
    assert [line.name for line in first.contestants] == [line.name for line in second.contestants]
    assert first.contestants[0].interval == pytest.approx(second.contestants[0].interval)


def test_contestants_that_never_met_are_not_ranked():
    board = leaderboard_from_counts([PairCount("a", "b", 3, 3), PairCount("c", "d", 2, 1), PairCount("d", "e", 2, 1)])
    assert (board.undefined, board.connected) == ("not_connected", False)
    assert board.components == (("c", "d", "e"), ("a", "b"))
    assert all(line.strength is None and line.rank is None for line in board.contestants)
    assert board.difference("a", "b").undefined == "not_connected"


def test_a_contestant_that_always_lost_has_no_bound_and_one_tie_mends_it():
    rows = [PairCount("a", "b", 3, 3), PairCount("a", "c", 4, 0), PairCount("b", "c", 2, 0)]
    board = leaderboard_from_counts(rows)
    assert board.undefined == "not_strongly_connected"
    assert board.components == (("a", "b"), ("c",))
    assert board.contestants[2].losses == 6
    mended = leaderboard_from_counts([*rows, PairCount("b", "c", ties=1)])
    assert mended.connected
    assert mended.contestants[-1].name == "c"


def test_only_ties_leave_all_equal_under_half_wins():
    board = leaderboard([Comparison("a", "b", "tie", "p"), Comparison("b", "c", "both_bad", "q")])
    assert board.model == "bradley_terry_half"
    assert [line.strength for line in board.contestants] == pytest.approx([0, 0, 0], abs=1e-9)
    assert {line.rank for line in board.contestants} == {1}
    assert all(line.interval[0] < 0 < line.interval[1] for line in board.contestants)


@pytest.mark.parametrize("comparisons", [[], [PairCount("a", "b")]])
def test_nothing_compared_is_no_data(comparisons):
    assert leaderboard_from_counts(comparisons).undefined == "no_data"


def test_a_contestant_against_itself_and_an_unknown_outcome_are_refused():
    with pytest.raises(ValueError, match="itself"):
        leaderboard([Comparison("a", "a", "tie")])
    with pytest.raises(ValueError, match="outcome"):
        leaderboard([Comparison("a", "b", "draw")])


def random_comparisons(seed, n=600, first_wins=0.0):
    rng = np.random.default_rng(seed)
    worth = {"a": 0.8, "b": 0.2, "c": -0.2, "d": -0.8}
    names = list(worth)
    for _ in range(n):
        one, two = rng.permutation(names)[:2]
        delta = worth[one] - worth[two] + first_wins
        weights = np.exp([delta / 2, -delta / 2, math.log(0.5)])
        outcome = str(rng.choice(["a", "b", "tie"], p=weights / weights.sum()))
        yield Comparison(str(one), str(two), outcome, f"prompt {rng.integers(0, 60)}", "a")


def test_the_clustered_interval_equals_the_sandwich_written_out():
    comparisons = list(random_comparisons(1, n=300))
    games = Games.from_comparisons(comparisons)
    fit = fit_half_ties(games)
    score = np.zeros((games.n_clusters, 4))
    for row in range(len(games.i)):
        delta = fit.log_worth[games.i[row]] - fit.log_worth[games.j[row]]
        rest = games.wins_i[row] + games.ties[row] / 2 - 1 / (1 + math.exp(-delta))
        score[games.cluster[row], games.i[row]] += rest
        score[games.cluster[row], games.j[row]] -= rest
    g = games.n_clusters
    sandwich = fit.model_covariance @ score.T @ score @ fit.model_covariance * g / (g - 1)
    assert fit.clustered_covariance == pytest.approx(sandwich)
    contrast = np.array([1.0, -1, 0, 0])
    assert fit.variance(contrast) == pytest.approx(contrast @ sandwich @ contrast)


def test_ranks_and_intervals_find_the_truth():
    board = leaderboard(random_comparisons(2))
    assert [line.name for line in board.contestants] == ["a", "b", "c", "d"]
    assert [line.rank for line in board.contestants] == [1, 2, 3, 4]
    for line, truth in zip(board.contestants, (0.8, 0.2, -0.2, -0.8), strict=True):
        assert line.interval[0] < truth < line.interval[1]
        assert line.rank_interval[0] <= line.rank <= line.rank_interval[1]
    assert sum(line.share for line in board.contestants) == pytest.approx(1)
    gap = board.difference("a", "d")
    assert gap.value == pytest.approx(board.contestants[0].strength - board.contestants[3].strength)
    assert gap.interval[0] > 0


def test_a_rank_interval_counts_who_is_surely_above_and_below():
    lines = leaderboard(random_comparisons(2, n=150)).contestants
    for line in lines:
        above = sum(other.interval[0] > line.interval[1] for other in lines)
        below = sum(other.interval[1] < line.interval[0] for other in lines)
        assert line.rank_interval == (1 + above, len(lines) - below)
    assert any(line.rank_interval[0] < line.rank_interval[1] for line in lines)


def test_davidsons_covariance_is_the_inverse_of_the_curvature_of_the_likelihood():
    games = Games.from_rows([(0, 1, 9, 2, 3), (1, 2, 4, 6, 1), (0, 2, 7, 3, 5)], "abc")
    fit = fit_davidson(games)

    def log_likelihood(beta):
        worth, log_nu = np.r_[0.0, beta[:2]], beta[2]
        delta = worth[games.i] - worth[games.j]
        scores = np.stack([delta / 2, -delta / 2, np.full(3, log_nu)], axis=1)
        return float((games.counts * (scores - np.log(np.exp(scores).sum(axis=1))[:, None])).sum())

    top = np.r_[fit.log_worth[1:] - fit.log_worth[0], math.log(fit.tie_parameter)]
    steps = np.eye(3) * 1e-4
    curve = [
        [
            (log_likelihood(top + a + b) - log_likelihood(top + a - b) - log_likelihood(top - a + b))
            + log_likelihood(top - a - b)
            for b in steps
        ]
        for a in steps
    ]
    expected = np.linalg.inv(-np.array(curve) / 4e-8)
    against_first = np.array([[-1.0, 1, 0, 0], [-1, 0, 1, 0], [0, 0, 0, 1]])
    assert against_first @ fit.model_covariance @ against_first.T == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_first_shown_side_is_measured_apart_from_strength():
    fair = leaderboard(random_comparisons(3)).position_effect
    assert fair.interval[0] < 0 < fair.interval[1]
    biased = leaderboard(random_comparisons(3, first_wins=1.0)).position_effect
    assert biased.interval[0] < 1.0 < biased.interval[1]
    assert biased.interval[0] > 0.4


def test_the_position_effect_says_why_it_is_undefined():
    def code(*rows):
        return leaderboard_from_counts(rows).position_effect.undefined

    assert code(PairCount("a", "b", 3, 2)) == "no_data"
    assert code(PairCount("a", "b", 3, 2, first_shown="a")) == "design_incomplete"
    assert (
        code(PairCount("a", "b", 3, 0, 1, first_shown="a"), PairCount("b", "a", 2, 0, first_shown="a"))
        == "no_variation"
    )
    lost = [PairCount("a", "b", 3, 1, first_shown="a"), PairCount("a", "c", 2, 0, first_shown="b")]
    assert code(*lost) == "not_strongly_connected"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            *(st.sampled_from("abc"), st.sampled_from("def"), st.sampled_from(["a", "b", "tie", "both_bad"])),
            *(st.sampled_from(["p", "q", "r"]), st.sampled_from(["a", "b", None])),
        ),
        max_size=40,
    ),
    st.sampled_from(["davidson", "half"]),
)
def test_a_leaderboard_never_holds_nan_and_swapping_sides_changes_nothing(rows, ties):
    board = leaderboard([Comparison(*row) for row in rows], ties=ties)
    json.dumps(board.as_dict(), allow_nan=False)
    turned = {"a": "b", "b": "a"}
    mirrored = [Comparison(b, a, turned.get(o, o), p, turned.get(f)) for a, b, o, p, f in rows]
    other = leaderboard(mirrored, ties=ties)
    assert board.undefined == other.undefined
    for first, second in zip(board.contestants, other.contestants, strict=True):
        assert (first.name, first.wins, first.losses) == (second.name, second.wins, second.losses)
        assert first.strength is None or first.strength == pytest.approx(second.strength, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 9))
def test_turning_every_result_around_turns_the_strengths_around(wins, losses, ties):
    won = leaderboard_from_counts([PairCount("a", "b", wins, losses, ties)])
    lost = leaderboard_from_counts([PairCount("a", "b", losses, wins, ties)])
    strength = {line.name: line.strength for line in won.contestants}
    turned = {line.name: line.strength for line in lost.contestants}
    assert strength["a"] == pytest.approx(turned["b"], abs=1e-9)
    assert strength["a"] == pytest.approx(-strength["b"], abs=1e-9)
