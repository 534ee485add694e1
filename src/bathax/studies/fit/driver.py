"""The main entry to fits: the parameters of any model from data of one or several runs."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from bathax._checks import require, require_kind, require_whole, shown
from bathax.studies.fit.data import Data, count_of, require_same_times, runs_of
from bathax.studies.fit.parameters import Bounds, Parameters
from bathax.studies.fit.result import Fit, fit_of
from bathax.studies.fit.search import LOSSES, LevenbergMarquardt, Problem, Runs, search
from bathax.studies.fit.sizes import refined, sized_problem
from bathax.studies.traced import shareable

# The standard deviation of random starts; for a parameter with a bound, that of the logarithm.
SPREAD = 0.7
TIMES = attrgetter("times")
SOLVER = LevenbergMarquardt()


def fit(
    of: Callable[..., Any],
    data: Runs,
    start: Mapping[str, Any],
    *,
    bounds: Mapping[str, Bounds] | None = None,
    loss: str = "linear",
    penalty: Callable[..., Any] | None = None,
    starts: int = 6,
    solver: Any = SOLVER,
    progress: bool = False,
) -> Fit:
    r"""Parameters for which a model agrees with data, and how well they are known.

        data = bx.Data(times, energy=(energies, 0.05))

        def damped(eta, cutoff):
            bath = bx.Reservoir(bx.Ohmic(eta, cutoff), temperature=2.0)
            return bx.solve(bx.Cavity(1.0, bath), bx.Fock(5), data.t, bx.Resonance())

        found = bx.fit(damped, data, {"eta": 0.05, "cutoff": 4.0})
        found.parameters, found.errors, found.message

    Minimises \sum rho(((model - data) / error)^2) over the parameters of `of`, named as in `start`:
    numbers, or arrays such as the values of a `Tabulated` density. `of` returns a solution, a map
    or a mapping at the times `data.t`; if it has a `t`, the two are compared. For several runs,
    `data` and the results are sequences. `of` must work under `jit`. Solvers in it that choose
    their size get the size that the starts need; if that misses their tolerance where the search
    ends, the search goes on from there with larger sizes.

    `bounds` are pairs (low, high); without them a parameter that starts above 0 stays above 0.
    `loss` rho(z) is "linear", z, or against outliers "soft_l1", 2 (\sqrt{1 + z} - 1), or "cauchy",
    log(1 + z). `penalty` is a function of the same parameters; the squares of the numbers that it
    returns are added, as a prior or a measure of roughness. `starts`: the number of searches, the
    first from `start`, the others from random places around it, which are always the same.
    `solver`: Levenberg-Marquardt, or any least-squares solver or minimiser of optimistix, with
    `OptaxMinimiser` for those of optax. `progress`: a bar in a terminal, start by start;
    accelerators search from all starts at once.

    A fit that has not converged says so in `converged` and `message`, and has no errors; parameters
    that the data do not determine are NaN. Calls with the same `of` and the same number of data
    share one compiled program. `fit` itself does not work under `jit`.

    >>> t = np.linspace(0.0, 10.0, 21)
    >>> data = bx.Data(t, energy=(5.0 * np.exp(-0.2 * t), 0.1))
    >>> damped = lambda rate: {"energy": 5.0 * jnp.exp(-rate * data.t)}
    >>> found = bx.fit(damped, data, {"rate": 0.5}, starts=1)
    >>> round(float(found.parameters["rate"]), 4)
    0.2
    """
    require("of", "a function of the parameters", shown(of), callable(of))
    for one in runs_of(data):
        require_kind("data", "`Data` of one run, or a list of several", one, Data)
    require("loss", f"one of {', '.join(LOSSES)}", shown(loss), loss in LOSSES)
    require_whole("starts", starts, 1)
    parameters = Parameters.of(start, bounds or {})
    size = len(parameters.labels)
    count = count_of(data)
    rule = f"at least {size} numbers, as many as there are parameters"
    enough = count >= size or penalty is not None
    require("data", rule, f"{count} numbers", enough)
    kinds = {one.has_errors for one in runs_of(data)}
    require("data", "runs that all have errors or all have none", "both", len(kinds) == 1)
    guesses = _guesses(parameters, starts)
    problem = sized_problem(
        Problem(parameters, shareable(of), loss, penalty, solver), data, guesses
    )
    require_same_times(data, problem.program(data).compiled(TIMES)(_first(parameters), data))
    found = search(problem, data, guesses, np.zeros(size, bool), progress)
    problem, found, reached = refined(problem, data, found)
    return fit_of(problem, data, found, reached)


def _first(parameters: Parameters) -> np.ndarray:
    """The start as a vector."""
    return parameters.vector(parameters.example)


def _guesses(parameters: Parameters, count: int) -> np.ndarray:
    """The start, and others around it."""
    x = parameters.free(_first(parameters))
    unit = np.where(parameters.is_bounded, 1.0, np.maximum(np.abs(x), 0.1))
    steps = np.random.default_rng(0).normal(size=(count - 1, len(x)))
    return np.vstack([x, x + SPREAD * unit * steps])
