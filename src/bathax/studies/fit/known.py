"""Which parameters the data determine, and where a standard error is not the whole story."""

from operator import attrgetter

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from bathax.studies.fit.data import size_of
from bathax.studies.fit.search import Linear, Problem, Runs

RESIDUALS = attrgetter("residuals")
# A parameter is undetermined if its standard error is so many times its scale, or if a change by
# its scale changes what was measured by no more than this part of it.
HUGE, UNSEEN = 3.0, 1e-10
# Standard errors tell what chi^2 does if it rises as its curvature says, but for this part.
PARABOLIC = 0.5
# A model is not looked at where it changes by less than this part of the data: it may be no better.
CHANGE = 1e-8


def undetermined(
    problem: Problem, data: Runs, best: Linear, errors: Float[np.ndarray, " parameters"]
) -> dict[str, str]:
    """The parameters that the data do not determine, and why, in the words that follow a colon."""
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
    """Parameters about which chi^2 is no parabola within their standard errors, and what it does.

    Others move with each as the covariance tells: the way along which chi^2 rises least.
    """
    found, best = {}, jax.tree.map(jnp.asarray, best)
    for label in labels:
        k = problem.parameters.labels.index(label)
        step = covariance[k] / np.sqrt(covariance[k, k])
        below, above = (_rise(problem, data, best, sign * step) for sign in (-1.0, 1.0))
        if max(abs(below - 1.0), abs(above - 1.0)) > PARABOLIC or np.isnan(below + above):
            found[label] = f"{below:.2g} times below and {above:.2g} times above it"
    return found


def _rise(problem: Problem, data: Runs, best: Linear, step: np.ndarray) -> float:
    """How far what is minimised rises, in units of what it does for a linear model.

    Infinite beyond a bound.
    """
    p = np.asarray(best.p) + step
    parameters = problem.parameters
    if np.linalg.norm(np.asarray(best.jacobian) @ step) < CHANGE * float(size_of(data)):
        return 1.0
    if not np.all((p > parameters.low) & (p < parameters.high)):
        return np.inf
    residuals = problem.program(data).compiled(RESIDUALS)(p, data)
    there = best._replace(residuals=residuals, penalties=problem.penalties(p))
    least, linear, true = (
        float(np.sum(np.square(place.terms(problem.loss))))
        for place in (best, best.moved(p), there)
    )
    return (true - least) / (linear - least)
