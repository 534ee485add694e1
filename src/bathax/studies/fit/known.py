"""Which parameters the data determine, and whose errors are not those of a parabola."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from bathax.studies.fit.data import size_of
from bathax.studies.fit.search import Linear, Problem, Runs, linear_at

# A parameter is undetermined if its standard error exceeds HUGE times its scale, or if a change by
# its scale changes the measured quantities by less than UNSEEN of their size.
HUGE, UNSEEN = 3.0, 1e-10
# Standard errors are valid if the rise of chi^2 differs from a parabola by less than this fraction.
PARABOLIC = 0.5
# Smaller relative changes of a model are not tested: they may be below its accuracy.
CHANGE = 1e-8


def undetermined(
    problem: Problem, data: Runs, best: Linear, errors: Float[np.ndarray, " parameters"]
) -> dict[str, str]:
    """The parameters that the data do not determine, each with the reason in words."""
    scale = problem.parameters.scale(np.asarray(best.p))
    terms = np.vstack([best.jacobian, best.of_penalty])
    seen = np.linalg.norm(terms, axis=0) * scale > UNSEEN * float(size_of(data))
    found = {}
    for label, error, size, depends in zip(
        problem.parameters.labels, errors, scale, seen, strict=True
    ):
        if not depends:
            found[label] = "nothing that was measured depends on it"
        elif error > HUGE * size:
            times = f"{error / size:.1g} times" if error < 1e15 * size else "infinitely larger than"
            found[label] = f"its standard error is {times} its size"
    return found


def asymmetric(
    problem: Problem,
    data: Runs,
    best: Linear,
    covariance: Float[np.ndarray, "parameters parameters"],
    labels: list[str],
) -> dict[str, str]:
    """Parameters for which chi^2 is no parabola within their standard error, and how it rises.

    With each of them the others change as the covariance says, which makes chi^2 rise least.
    """
    found = {}
    for label in labels:
        k = problem.parameters.labels.index(label)
        step = covariance[k] / np.sqrt(covariance[k, k])
        below, above = (_rise(problem, data, best, sign * step) for sign in (-1.0, 1.0))
        if max(abs(below - 1.0), abs(above - 1.0)) > PARABOLIC or np.isnan(below + above):
            found[label] = f"{below:.2g} times below and {above:.2g} times above it"
    return found


def _rise(problem: Problem, data: Runs, best: Linear, step: np.ndarray) -> float:
    """The rise of the minimised sum, relative to its rise for a linear model.

    Infinite beyond a bound.
    """
    p = np.asarray(best.p) + step
    parameters = problem.parameters
    if np.linalg.norm(np.asarray(best.jacobian) @ step) < CHANGE * float(size_of(data)):
        return 1.0
    if not np.all((p > parameters.low) & (p < parameters.high)):
        return np.inf
    there = jax.tree.map(np.asarray, linear_at(problem, data, p))
    least, linear, true = (
        float(np.sum(np.square(jax.tree.map(jnp.asarray, place).terms(problem.loss))))
        for place in (best, best.moved(p), there)
    )
    return (true - least) / (linear - least)
