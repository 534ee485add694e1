"""The result of a fit: parameters with errors, and predictions with their errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import chdtrc

import bathax as bx
from bathax._checks import require
from bathax._display import Table, Tabular
from bathax._late import Exported, late
from bathax.studies.fit.data import count_of, runs_of
from bathax.studies.fit.known import asymmetric, undetermined
from bathax.studies.fit.search import LOSSES, Linear, Minimum, Problem, Runs, search
from bathax.studies.traced import Traced, value_and_jacobian

# Two parameters are distinguished if their correlation is below DISTINCT, or if the errors of both
# are below KNOWN times their scales.
DISTINCT, KNOWN = 0.99, 0.1
# Below this p-value the model or the errors of the data are considered wrong.
IMPROBABLE = 1e-6
INEXACT = "Solvers in the model did not reach their tolerance there."
WRONG_MODEL = "The model does not describe the data within their errors"
# Starts have found the same minimum if chi^2 is less than SAME (1 + chi^2) above the least one.
SAME = 1e-3
# The standard error of what data do not determine.
UNBOUNDED = 1e150


class Band(NamedTuple):
    """Values of a function of the parameters, and their standard errors."""

    value: np.ndarray
    error: np.ndarray


class Profile(NamedTuple):
    """The least chi^2 for each of some values of one parameter, less that of the fit."""

    values: np.ndarray
    excess: np.ndarray


@dataclass(frozen=True, repr=False)
class Fit(Tabular, Exported):
    r"""Parameters found by `fit`, and how well they are known.

    `parameters` and their standard `errors` are mappings by name. A parameter that the data do not
    determine is NaN, with an infinite error, and is in `undetermined` with the reason; `best` has
    the numbers at the minimum for all of them. `covariance`, in the order of `labels`, is (J^T
    J)^{-1} with the exact Jacobian J of the residuals r at the minimum, times chi^2 per degree of
    freedom if the data came without errors. For a robust loss with weights w or a penalty with the
    Jacobian P it is the sandwich H^{-1} (J^T w r^2 w J + P^T P) H^{-1}, H = J^T w J + P^T P. `size`
    = tr H^{-1} J^T w J is the number of parameters that the data determine, all of them unless
    there is a penalty. `chi2` = \sum r^2 of the `residuals` r has `freedom` degrees, the number of
    data less `size`. `agreeing`: how many of the starts found this minimum. If the search did not
    converge, `converged` is False and all errors are NaN. `tolerance_reached`: whether solvers in
    the model that choose their size reach their tolerance at these parameters. `asymmetric`:
    parameters for which chi^2 is no parabola within their standard error, and how it rises there.
    `data` is what was fitted, and `problem` the model with its parameters, loss and penalty.

    >>> t = np.linspace(0.0, 10.0, 21)
    >>> data = bx.Data(t, energy=(5.0 * np.exp(-0.2 * t), 0.1))
    >>> damped = lambda rate: {"energy": 5.0 * jnp.exp(-rate * data.t)}
    >>> found = bx.fit(damped, data, {"rate": 0.5}, starts=1)
    >>> found.is_sound, round(float(found.errors["rate"]), 4)
    (True, 0.0029)
    """

    parameters: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    covariance: np.ndarray
    labels: list[str]
    size: float
    chi2: float
    freedom: float
    residuals: np.ndarray
    converged: bool
    agreeing: int
    problem: Problem
    data: Runs
    best: np.ndarray
    undetermined: dict[str, str]
    asymmetric: dict[str, str]
    tolerance_reached: bool = True

    def _table(self) -> Table:
        """The parameters with their errors, and the quality of the fit."""
        errors = np.sqrt(np.diag(self.covariance))
        rows = [
            [label, "undetermined", ""]
            if label in self.undetermined
            else [label, f"{value:.8g}", f"{error:.2g}"]
            for label, value, error in zip(self.labels, self.best, errors, strict=True)
        ]
        quality = f"chi^2 = {self.chi2:.4g} for {self.freedom:.4g} degrees of freedom"
        if self._has_errors:
            quality += f", p = {self.p_value:.2g}"
        return Table("Fit", ["", "value", "error"], rows, [quality, self.message])

    def plot(self, axes: Any = None, units: Any = None) -> Any:
        """Data and model with residuals below, on matplotlib axes, two for each quantity.

        With `Units` its times and energies are in these.
        """
        return late("plot.fit", "plot")(self, axes, units)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write all but the model as JSON, from which `bathax.load` restores the fit."""
        bx.save(self, path, overwrite=overwrite)

    @property
    def message(self) -> str:
        """Sentences: whether the search converged, and which parameters are undetermined."""
        if not self.converged:
            return "The search did not converge from any start: this is not a result."
        first = f"Converged, from {self.agreeing} of the starts to this minimum."
        return " ".join([first, *self.warnings])

    @property
    def is_sound(self) -> bool:
        """Whether all parameters are determined, by a model that agrees with the data."""
        doubts = self.undetermined or self.indistinct or self._is_improbable
        return self.converged and self.tolerance_reached and not doubts

    @property
    def warnings(self) -> list[str]:
        """Sentences about reasons to doubt a fit that has converged."""
        found = [] if self.tolerance_reached else [INEXACT]
        found += [
            f"The data do not determine `{p}`: {why}." for p, why in self.undetermined.items()
        ]
        if self._is_improbable:
            found.append(f"{WRONG_MODEL}: p = {self.p_value:.1g}.")
        found += [f"`{label}` went to its bound." for label in self.at_bounds]
        found += [
            f"The data cannot tell `{one}` from `{other}`: their correlation is {value:+.4f}."
            for one, other, value in self.indistinct
        ]
        return found + [
            f"The error of `{label}` is not the same on both sides: chi^2 rises {how} as it would "
            "for a linear model, and `profile` has the interval."
            for label, how in self.asymmetric.items()
        ]

    @cached_property
    def correlation(self) -> np.ndarray:
        """The correlation matrix: the covariance over the errors of both parameters."""
        size = np.sqrt(np.diag(self.covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.covariance / np.outer(size, size)

    @property
    def indistinct(self) -> list[tuple[str, str, float]]:
        """Pairs of parameters that the data cannot distinguish, and their correlation.

        Pairs of which both are well known are left out.
        """
        pairs = zip(*np.triu_indices(len(self.labels), 1), strict=True)
        scale = self.problem.parameters.scale(self.best)
        known = np.sqrt(np.diag(self.covariance)) < KNOWN * scale
        return [
            (self.labels[i], self.labels[j], float(self.correlation[i, j]))
            for i, j in pairs
            if abs(self.correlation[i, j]) > DISTINCT and not (known[i] and known[j])
        ]

    @property
    def at_bounds(self) -> list[str]:
        """Parameters that have come within 1e-6 of a bound, relative to where they started."""
        parameters = self.problem.parameters
        p, start = self.best, parameters.vector(parameters.example)
        ends = (parameters.low, parameters.high)
        near = [np.abs(p - end) < 1e-6 * np.abs(start - end) for end in ends]
        return [label for label, *close in zip(self.labels, *near, strict=True) if any(close)]

    @property
    def information(self) -> np.ndarray:
        """The Fisher information, the inverse of the covariance."""
        return np.linalg.pinv(self.covariance, hermitian=True)

    def band(self, function: Callable[..., Any]) -> Band:
        """A function of the parameters, such as a density or a prediction, and its standard error.

        To first order in the errors of the parameters: (G C G^T)^{1/2} with its gradient G.
        """
        value, gradient = self._linear(function)
        variance = np.einsum("...i,ij,...j->...", gradient, self.covariance, gradient.conj())
        return Band(value, np.sqrt(variance.real))

    def information_gain(self, function: Callable[..., Any], error: Any) -> np.ndarray:
        r"""The information gained by measuring `function` of the parameters, value by value.

        In nats, \ln(1 + (G C G^T) / error^2) / 2 with its gradient G. For predictions at further
        times its maximum is where to measure next.
        """
        return 0.5 * np.log1p((self.band(function).error / np.asarray(error)) ** 2)

    def profile(self, label: str, values: Sequence[float]) -> Profile:
        """The profile likelihood of one parameter: the minimised sum less its minimum.

        At each value the other parameters are fitted again. The excess is below 1 in the 68%
        interval and below 4 in the 95% interval, whatever its shape.
        """
        require("label", f"one of {', '.join(self.labels)}", label, label in self.labels)
        which = self.labels.index(label)
        parameters = self.problem.parameters
        places = np.tile(self.best, (len(values), 1))
        places[:, which] = np.asarray(values, float)
        fixed = np.arange(len(self.labels)) == which
        found = search(self.problem, self.data, parameters.free(places), fixed)
        known = np.where(found.converged, found.objectives, np.nan)
        return Profile(np.asarray(values, float), known - self._objective)

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 ln L + 2 `size`: the smaller, the better a model predicts."""
        return self._deviance + 2.0 * self.size

    @property
    def bic(self) -> float:
        """The Bayesian criterion, -2 ln L + `size` ln n."""
        return self._deviance + self.size * float(np.log(count_of(self.data)))

    @property
    def p_value(self) -> float:
        """The probability of a chi^2 as large if model and errors are right; NaN without errors."""
        return float(chdtrc(self.freedom, self.chi2)) if self._has_errors else np.nan

    @property
    def _is_improbable(self) -> bool:
        """Whether the p-value is too small; not for a robust loss, which expects outliers."""
        return self.problem.loss == "linear" and self.p_value < IMPROBABLE

    @property
    def _deviance(self) -> float:
        """-2 ln L up to a constant: chi^2, or n ln(chi^2 / n) if errors are estimated from it."""
        count = count_of(self.data)
        return self.chi2 if self._has_errors else count * float(np.log(self.chi2 / count))

    @property
    def _has_errors(self) -> bool:
        return runs_of(self.data)[0].has_errors

    @property
    def serial_correlation(self) -> float:
        """The correlation of successive residuals, in standard deviations: large for bad models."""
        r = self.residuals - np.mean(self.residuals)
        return float(np.sum(r[:-1] * r[1:]) / np.sum(r**2) * np.sqrt(len(r)))

    @property
    def _objective(self) -> float:
        loss = np.asarray(LOSSES[self.problem.loss](jnp.asarray(self.residuals)))
        penalty = self.problem.penalties(self.best)
        return float(np.sum(loss**2) + np.sum(np.asarray(penalty) ** 2))

    def _linear(self, function: Callable[..., Any]) -> tuple[np.ndarray, np.ndarray]:
        """Value and gradient of a function of the parameters."""
        parameters = self.problem.parameters
        program = Traced(lambda p: jnp.asarray(function(**parameters.named(p))), self.best)
        value, gradient = jax.jit(partial(value_and_jacobian, program))(self.best)
        return np.asarray(value), np.asarray(gradient)


def fit_of(problem: Problem, data: Runs, found: Minimum, reached: bool = True) -> Fit:
    """The fit at a minimum; `reached` tells whether solvers reached their tolerance there."""
    residuals = np.asarray(found.best.residuals)
    converged = bool(np.any(found.converged))
    labels = problem.parameters.labels
    covariance, size = _covariance(problem, found.best)
    freedom = count_of(data) - size
    chi2 = float(np.sum(residuals**2))
    if not runs_of(data)[0].has_errors:
        covariance = covariance * (chi2 / freedom if freedom > 0 else np.nan)
    if not converged:
        covariance = np.full_like(covariance, np.nan)
    objectives = np.where(found.converged, found.objectives, np.inf)
    least = float(np.min(objectives))
    agreeing = int(np.count_nonzero(objectives <= least + SAME * (1.0 + least)))
    best, errors = np.asarray(found.best.p), np.sqrt(np.diag(covariance))
    unknown = undetermined(problem, data, found.best, errors) if converged else {}
    known = [label for label in labels if label not in unknown] if converged else []
    is_known = np.array([label not in unknown for label in labels])
    return Fit(
        parameters=problem.parameters.named(np.where(is_known, best, np.nan)),
        errors=problem.parameters.named(np.where(is_known, errors, np.inf)),
        covariance=covariance,
        labels=labels,
        size=size,
        chi2=chi2,
        freedom=freedom,
        residuals=residuals,
        converged=converged,
        agreeing=agreeing,
        problem=problem,
        data=data,
        best=best,
        undetermined=unknown,
        asymmetric=asymmetric(problem, data, found.best, covariance, known),
        tolerance_reached=reached,
    )


def _covariance(problem: Problem, found: Linear) -> tuple[np.ndarray, float]:
    """The covariance, and how many parameters the data determine.

    (J^T J)^{-1}, or the sandwich; infinite in directions that the data do not determine.
    """
    jacobian, penalty = np.asarray(found.jacobian), np.asarray(found.of_penalty)
    if problem.loss == "linear" and not penalty.size:
        return _inverse_square(jacobian), float(jacobian.shape[1])
    r = np.asarray(found.residuals)
    # rho'(r^2), the weight of a residual under a robust loss.
    weight = np.asarray(jax.vmap(jax.grad(_rho(problem.loss)))(jnp.asarray(r**2)))
    weighted = np.sqrt(weight)[:, None] * jacobian
    inverse = _inverse_square(np.vstack([weighted, penalty]))
    spread = r**2 if problem.loss != "linear" else np.ones_like(r)
    middle = np.vstack([(weight * np.sqrt(spread))[:, None] * jacobian, penalty])
    size = np.sum((weighted @ inverse) * weighted) if penalty.size else jacobian.shape[1]
    return inverse @ (middle.T @ middle) @ inverse, float(size)


def _rho(loss: str) -> Callable[[Any], Any]:
    """rho(z) of a loss."""
    return lambda z: LOSSES[loss](jnp.sqrt(jnp.maximum(z, 1e-30))) ** 2


def _inverse_square(jacobian: np.ndarray) -> np.ndarray:
    """(J^T J)^{-1} by singular values of J with columns of length 1."""
    if not np.all(np.isfinite(jacobian)):
        return np.full((jacobian.shape[1],) * 2, np.nan)
    length = np.linalg.norm(jacobian, axis=0)
    # Parameters without an effect are left out: rounding would mix others with them.
    seen = length > 0.0
    inverse = np.diag(np.where(seen, 0.0, UNBOUNDED**2))
    scale = length[seen]
    _, singular, rows = np.linalg.svd(jacobian[:, seen] / scale, full_matrices=False)
    least = 1e-14 * singular.max(initial=0.0) * max(jacobian.shape)
    with np.errstate(divide="ignore", over="ignore"):
        size = np.where(singular > least, 1.0 / np.maximum(singular, least), UNBOUNDED)
        half = rows.T * size / scale[:, None]
        inverse[np.ix_(seen, seen)] = half @ half.T
    return inverse
