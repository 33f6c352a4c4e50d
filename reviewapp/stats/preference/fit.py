"""Maximum likelihood of Bradley-Terry models: Newton's method, with model-based and clustered covariances."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import sparse

from reviewapp.stats.arrays import FloatArray, IntArray
from reviewapp.stats.preference.comparisons import Games

MAX_STEPS: Final = 100
STEP_DONE: Final = 1e-10
# A log-worth beyond this means e^25 to 1: the likelihood has no maximum and Newton is walking off.
RUNAWAY: Final = 25.0
# Fewer prompts than this understate the spread between them.
FEW_CLUSTERS: Final = 30


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    log_worth: one per contestant, mean 0. tie_parameter: Davidson's nu >= 0, null in the half-win model.
    position: advantage in log-worth of the side shown first, null when not fitted.
    model_covariance: of (log_worth, log nu when fitted, position when fitted). clustered_covariance: the same by the
    sandwich over prompts, null without them. deviance: against the model with a free rate per pair.
    """

    log_worth: FloatArray
    tie_parameter: float | None
    position: float | None
    model_covariance: FloatArray
    clustered_covariance: FloatArray | None
    n_clusters: int
    log_likelihood: float
    deviance: float
    converged: bool

    @property
    def share(self) -> FloatArray:
        """exp(log_worth) over its sum."""
        worth = np.exp(self.log_worth - self.log_worth.max())
        return np.asarray(worth / worth.sum(), dtype=np.float64)

    def variance(self, contrast: FloatArray) -> float:
        """Variance of a linear contrast of the parameters, in the order of the covariances.

        Clustered by prompt; with few prompts, or none that differ, the larger of the two.
        """
        full = np.zeros(len(self.model_covariance))
        full[: len(contrast)] = contrast
        model = float(full @ self.model_covariance @ full)
        if self.clustered_covariance is None:
            return model
        clustered = float(full @ self.clustered_covariance @ full)
        return max(model, clustered) if self.n_clusters < FEW_CLUSTERS or clustered <= 1e-6 * model else clustered


def components(games: Games, kind: Literal["weak", "strong"]) -> tuple[int, IntArray]:
    """Each contestant's component in the graph of wins (a tie counts both ways): (how many, index per contestant).

    weak: compared at all. strong: beaten both ways; the maximum of the likelihood exists exactly when there is one.
    Source: Ford (1957), American Mathematical Monthly 64, 28-33.
    """
    beats = games.wins_i + games.ties > 0, games.wins_j + games.ties > 0
    rows = np.r_[games.i[beats[0]], games.j[beats[1]]]
    columns = np.r_[games.j[beats[0]], games.i[beats[1]]]
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(games.n_contestants,) * 2)
    count, label = sparse.csgraph.connected_components(graph, directed=True, connection=kind)
    return int(count), label.astype(np.int64)


def fit_half_ties(games: Games, *, with_position: bool = False) -> Fit:
    """Bradley-Terry with every tie as half a win for each side.

    Needs one strong component (see `components`); without it the fit comes back with converged false.
    Source: Bradley, Terry (1952), Biometrika 39, 324-345.
    """
    return _fit(games, _half_rows, ties=False, position=with_position)


def fit_davidson(games: Games, *, with_position: bool = False) -> Fit:
    """P(i beats j) = w_i / (w_i + w_j + nu sqrt(w_i w_j)), P(tie) = nu sqrt(w_i w_j) / the same; w = exp(log_worth).

    Without any tie nu is 0 and this is Bradley-Terry. Needs one strong component and at least one game that is no
    tie, else nu has no bound and the fit comes back with converged false.
    Source: Davidson (1970), JASA 65, 317-328.
    """
    if not games.ties.any():
        plain = _fit(games, _half_rows, ties=False, position=with_position)
        return Fit(**{**plain.__dict__, "tie_parameter": 0.0})
    return _fit(games, _davidson_rows, ties=True, position=with_position)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Per row at the current parameters: log-likelihood; first and second derivatives by delta and by log nu.

    delta is the row's log-worth difference; curvatures are minus the second derivatives.
    """

    log_likelihood: FloatArray
    by_delta: FloatArray
    by_tie: FloatArray
    curve_delta: FloatArray
    curve_cross: FloatArray
    curve_tie: FloatArray


RowModel = Callable[[Games, FloatArray, float], _Rows]


def _half_rows(games: Games, delta: FloatArray, log_nu: float) -> _Rows:
    wins, losses = games.wins_i + games.ties / 2, games.wins_j + games.ties / 2
    n = wins + losses
    p = 0.5 * (1 + np.tanh(delta / 2))
    log_likelihood = -(wins * np.logaddexp(0, -delta) + losses * np.logaddexp(0, delta))
    none = np.zeros(len(delta))
    return _Rows(log_likelihood, wins - n * p, none, n * p * (1 - p), none, none)


def _davidson_rows(games: Games, delta: FloatArray, log_nu: float) -> _Rows:
    scores = np.stack([delta / 2, -delta / 2, np.full(len(delta), log_nu)], axis=1)
    log_p = scores - np.logaddexp.reduce(scores, axis=1)[:, None]
    p = np.exp(log_p)
    n = games.counts.sum(axis=1)
    lead = (p[:, 0] - p[:, 1]) / 2
    return _Rows(
        log_likelihood=(games.counts * log_p).sum(axis=1),
        by_delta=(games.wins_i - games.wins_j) / 2 - n * lead,
        by_tie=games.ties - n * p[:, 2],
        curve_delta=n * ((p[:, 0] + p[:, 1]) / 4 - lead**2),
        curve_cross=-n * p[:, 2] * lead,
        curve_tie=n * p[:, 2] * (1 - p[:, 2]),
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rows with their design: columns are the contestants, then log nu if fitted, then the position if fitted."""

    games: Games
    model: RowModel
    ties: bool
    position: bool

    @property
    def size(self) -> int:
        return self.games.n_contestants + self.ties + self.position

    def design(self) -> sparse.csr_array:
        """rows x parameters: how delta depends on each parameter (log nu does not enter delta)."""
        games, rows = self.games, np.arange(len(self.games.i))
        entries = [(rows, games.i, np.ones(len(rows))), (rows, games.j, -np.ones(len(rows)))]
        if self.position:
            entries.append((rows, np.full(len(rows), self.size - 1), games.side))
        row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
        return sparse.csr_array((value, (row, column)), shape=(len(rows), self.size))

    def rows(self, design: sparse.csr_array, beta: FloatArray) -> _Rows:
        return self.model(self.games, design @ beta, float(beta[self.games.n_contestants]) if self.ties else 0.0)

    def gradient(self, design: sparse.csr_array, rows: _Rows) -> FloatArray:
        slope = np.asarray(design.T @ rows.by_delta, dtype=np.float64)
        if self.ties:
            slope[self.games.n_contestants] += rows.by_tie.sum()
        return slope

    def information(self, design: sparse.csr_array, rows: _Rows) -> FloatArray:
        """Minus the Hessian, parameters x parameters; its null vector is the same shift of all log-worths."""
        matrix = np.asarray((design.T @ sparse.diags_array(rows.curve_delta) @ design).toarray(), dtype=np.float64)
        if self.ties:
            k = self.games.n_contestants
            cross = np.asarray(design.T @ rows.curve_cross, dtype=np.float64)
            matrix[k] += cross
            matrix[:, k] += cross
            matrix[k, k] += rows.curve_tie.sum()
        return matrix


def _fit(games: Games, model: RowModel, *, ties: bool, position: bool) -> Fit:
    problem = _Problem(games.merged(keep_side=position), model, ties, position)
    design = problem.design()
    beta, converged = _newton(problem, design)
    rows = problem.rows(design, beta)
    inverse = _inverse_information(problem, problem.information(design, rows))
    n_clusters = games.n_clusters
    clustered = None
    if n_clusters > 1 and games.cluster is not None:
        score = _cluster_scores(_Problem(games, model, ties, position), beta)
        clustered = inverse @ (score.T @ score).toarray() @ inverse * n_clusters / (n_clusters - 1)
    k = games.n_contestants
    log_likelihood = float(rows.log_likelihood.sum())
    return Fit(
        log_worth=beta[:k] - beta[:k].mean(),
        tie_parameter=math.exp(min(float(beta[k]), RUNAWAY)) if ties else None,
        position=float(beta[-1]) if position else None,
        model_covariance=inverse,
        clustered_covariance=clustered,
        n_clusters=n_clusters,
        log_likelihood=log_likelihood,
        deviance=2 * (_saturated(problem.games, ties) - log_likelihood),
        converged=converged,
    )


def _newton(problem: _Problem, design: sparse.csr_array) -> tuple[FloatArray, bool]:
    """The parameters at the maximum, and whether they settled within bounds. The log-likelihood is concave."""
    beta = np.zeros(problem.size)
    if problem.ties:
        tied, total = float(problem.games.ties.sum()), float(problem.games.counts.sum())
        beta[problem.games.n_contestants] = math.log(2 * tied / max(total - tied, 1.0))
    rows = problem.rows(design, beta)
    for _ in range(MAX_STEPS):
        step = _shift_free_solve(problem, problem.information(design, rows), problem.gradient(design, rows))
        size = 1.0
        trial = problem.rows(design, beta + step)
        floor = rows.log_likelihood.sum() - 1e-9 * abs(rows.log_likelihood.sum())
        while trial.log_likelihood.sum() < floor and size > 1e-6:
            size /= 2
            trial = problem.rows(design, beta + size * step)
        beta, rows = beta + size * step, trial
        if np.abs(beta).max(initial=0.0) > RUNAWAY:
            return beta, False
        if np.abs(step).max(initial=0.0) < STEP_DONE:
            return beta, True
    return beta, False


def _pinned(problem: _Problem, information: FloatArray) -> tuple[FloatArray, float]:
    """The information with the free shift held by a term of its own size, so that it can be inverted."""
    k = problem.games.n_contestants
    weight = max(float(np.trace(information)), 1e-12) / k**2
    pinned = information.copy()
    pinned[:k, :k] += weight
    return pinned, weight


def _shift_free_solve(problem: _Problem, information: FloatArray, gradient: FloatArray) -> FloatArray:
    # Least squares instead of a plain solve: a position that cannot be told from strength must not raise here.
    return np.asarray(np.linalg.lstsq(_pinned(problem, information)[0], gradient, rcond=1e-13)[0], dtype=np.float64)


def _inverse_information(problem: _Problem, information: FloatArray) -> FloatArray:
    """Covariance of the parameters under mean log-worth 0."""
    pinned, weight = _pinned(problem, information)
    inverse = np.asarray(np.linalg.pinv(pinned, rcond=1e-13, hermitian=True), dtype=np.float64)
    k = problem.games.n_contestants
    inverse[:k, :k] -= 1 / (weight * k * k)
    return inverse


def _cluster_scores(problem: _Problem, beta: FloatArray) -> sparse.csr_array:
    """clusters x parameters: each prompt's part of the gradient."""
    design = problem.design()
    rows = problem.rows(design, beta)
    score = sparse.diags_array(rows.by_delta) @ design
    if problem.ties:
        n = len(rows.by_tie)
        place = (np.arange(n), np.full(n, problem.games.n_contestants))
        score = score + sparse.csr_array((rows.by_tie, place), shape=score.shape)
    cluster = problem.games.cluster if problem.games.cluster is not None else np.arange(len(rows.by_delta))
    _, place_of = np.unique(cluster, return_inverse=True)
    member = sparse.csr_array((np.ones(len(place_of)), (place_of, np.arange(len(place_of)))))
    return sparse.csr_array(member @ score)


def _saturated(games: Games, ties: bool) -> float:
    """The largest log-likelihood that a free rate per row reaches."""
    counts = games.counts
    if not ties:
        counts = np.stack([counts[:, 0] + counts[:, 2] / 2, counts[:, 1] + counts[:, 2] / 2], axis=1)
    share = counts / counts.sum(axis=1, keepdims=True)
    return float((counts * np.log(np.where(counts > 0, share, 1.0))).sum())
