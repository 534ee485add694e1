"""The search of a fit: the minimum of a sum of squares, from several starts."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax.numerics.refinement import sized
from bathax.studies.fit.data import Data, size_of, times_of, together, worst_status
from bathax.studies.fit.parameters import Parameters, Vector
from bathax.studies.traced import KEPT, Traced, closed, value_and_jacobian

# The most steps of a search. Levenberg-Marquardt needs a dozen where it converges; minimisers like
# those of optax need thousands.
STEPS, STEPS_OF_MINIMISERS = 150, 20_000
# Losses as functions of a residual r, with rho(r^2) = |loss(r)|^2, as in SciPy's `least_squares`.
LOSSES: dict[str, Callable[[Array], Array]] = {
    "linear": lambda r: r,
    "soft_l1": lambda r: r * jnp.sqrt(2.0 / (1.0 + jnp.sqrt(1.0 + r**2))),
    "cauchy": lambda r: r * jnp.sqrt(_log_ratio(r**2)),
}

# A search has converged when a step changes no number x by more than NEGLIGIBLE, absolutely or
# relatively, or no parameter by more than OFFSET standard errors. That step is still taken, after
# which the distance from the minimum is some hundred times less.
NEGLIGIBLE, OFFSET = 1e-6, 1e-4
# The first step is damped as if the residuals were this fraction of the data.
DAMPED = 0.3

Runs = Data | Sequence[Data]


class LevenbergMarquardt(optx.LevenbergMarquardt):
    """The Levenberg-Marquardt method of optimistix, with two changes.

    The trust region grows after good steps and not only after nearly perfect ones, which halves the
    number of steps. The last, short step is taken without a test whether it lowers the sum of
    squares: that change is below rounding, and the test would refuse the step at random.
    """

    def __init__(self) -> None:
        super().__init__(rtol=NEGLIGIBLE, atol=NEGLIGIBLE)
        self.search = optx.ClassicalTrustRegion(
            high_cutoff=0.75, low_cutoff=0.1, high_constant=10.0, low_constant=0.1
        )

    def terminate(
        self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any
    ) -> tuple[Bool[Array, ""], Any]:
        _, result = super().terminate(fn, y, args, options, state, tags)
        done = _is_short(state.y_eval - y, y, NEGLIGIBLE) | _is_flat(state.f_info)
        return ~state.first_step & done, result

    def postprocess(
        self,
        fn: Any,
        y: Any,
        aux: Any,
        args: Any,
        options: Any,
        state: Any,
        tags: Any,
        result: optx.RESULTS,
    ) -> tuple[Any, Any, dict[str, Any]]:
        y, aux, stats = super().postprocess(fn, y, aux, args, options, state, tags, result)
        # A small part of the error of an undetermined parameter may be a long step: not that one.
        short = _is_short(state.y_eval - y, y, OFFSET)
        return jnp.where((result == optx.RESULTS.successful) & short, state.y_eval, y), aux, stats


def _is_short(step: Vector, y: Vector, limit: float) -> Bool[Array, ""]:
    """Whether a step changes no number by more than the limit, absolutely or relatively."""
    return jnp.all(jnp.abs(step) < limit * (1.0 + jnp.abs(y)))


def _is_flat(place: Any) -> Bool[Array, ""]:
    """Whether the residuals r are orthogonal to the tangent space of the model.

    With the projection P on that space, |P r| / |r - P r| is the distance of the parameters from
    the minimum in standard errors, times the root of their number over the degrees of freedom
    [Bates & Watts 1981].
    """
    r, jacobian = place.residual, place.jac.as_matrix()
    count, size = jacobian.shape
    tangents, _ = jnp.linalg.qr(jacobian)
    along = tangents @ (tangents.T @ r)
    freedom = max(count - size, 0)
    return freedom * jnp.sum(along**2) < size * OFFSET**2 * jnp.sum((r - along) ** 2)


def _log_ratio(z: Array) -> Array:
    """log(1 + z) / z."""
    large = jnp.where(z > 1e-6, z, 1.0)
    return jnp.where(z > 1e-6, jnp.log1p(large) / large, 1.0 - 0.5 * z)


class Outcome(NamedTuple):
    """What a model gives at some parameters.

    The residuals (model - data) / error, the largest status, the sizes that solvers demand if they
    choose their size, and the times of the results.
    """

    residuals: Float[Array, " residuals"]
    status: Int[Array, ""]
    demands: Float[Array, " solvers"]
    times: list[Array | None]


@lru_cache(maxsize=KEPT)
def _program(
    of: Callable[..., Any],
    names: tuple[tuple[str, tuple[int, ...]], ...],
    leaves: tuple[jax.ShapeDtypeStruct, ...],
    structure: Any,
    sizes: tuple[int, ...],
) -> Traced:
    """The program of a model; see `Problem.program`."""
    parameters = Parameters.of({name: np.ones(shape) for name, shape in names}, {})
    data = jax.tree.unflatten(structure, leaves)
    p = jax.ShapeDtypeStruct((len(parameters.labels),), float)

    def outcome(is_asked: bool, p: Vector, data: Runs) -> Outcome:
        with sized(sizes) as demands:
            results = of(**parameters.named(p))
        asked = lax.stop_gradient(jnp.stack(demands)) if demands and is_asked else jnp.zeros(0)
        times = times_of(data, results)
        return Outcome(together(data, results), worst_status(data, results), asked, times)

    return closed(partial(outcome, True), partial(outcome, False), p, data)


def forgotten(**parameters: Any) -> Any:
    """Takes the place of the model, which a file does not hold."""
    names = ", ".join(parameters)
    raise ValueError(
        f"Argument `of` must be the model of {names}, but a fit read from a file has none; "
        "fit again where it is needed."
    )


class Problem(eqx.Module):
    """What is minimised: the squared residuals under a loss, and the squares of a penalty.

    `sizes` are those of the solvers in `of` that choose their size; if empty, the usual ones.
    """

    parameters: Parameters
    of: Callable[..., Any] = eqx.field(static=True)
    loss: str = eqx.field(static=True)
    penalty: Callable[..., Any] | None = eqx.field(static=True)
    solver: Any
    sizes: tuple[int, ...] = eqx.field(static=True, default=())

    @property
    def has_model(self) -> bool:
        """Whether the model is there, which a file does not hold."""
        return self.of is not forgotten

    def program(self, data: Runs) -> Traced:
        """The program from (p, data) to an `Outcome`, the same one for data of the same shape."""
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), data)
        leaves, structure = jax.tree.flatten(shapes)
        names = tuple((name, p.shape) for name, p in self.parameters.example.items())
        return _program(self.of, names, tuple(leaves), structure, self.sizes)

    def penalties(self, p: Vector) -> Float[Array, " penalties"]:
        """The penalty at the parameters p."""
        if self.penalty is None:
            return jnp.zeros(0)
        return jnp.ravel(jnp.asarray(self.penalty(**self.parameters.named(p))))


class Linear(NamedTuple):
    """Parameters p, residuals and penalties there, and their Jacobians."""

    p: Vector
    residuals: Float[Array, " residuals"]
    penalties: Float[Array, " penalties"]
    jacobian: Float[Array, "residuals parameters"]
    of_penalty: Float[Array, "penalties parameters"]

    @classmethod
    def at(
        cls, p: Vector, residuals: Callable[..., Any], penalties: Callable[..., Any]
    ) -> "Linear":
        """Values and Jacobians in one pass."""
        values, jacobians = value_and_jacobian(lambda p: (residuals(p), penalties(p)), p)
        return cls(p, *values, *jacobians)

    def moved(self, p: Vector) -> "Linear":
        """The linear extrapolation to parameters p close by."""
        step = p - self.p
        residuals = self.residuals + self.jacobian @ step
        penalties = self.penalties + self.of_penalty @ step
        return self._replace(p=p, residuals=residuals, penalties=penalties)

    def terms(self, loss: str) -> Float[Array, " terms"]:
        """What is squared and summed: residuals under a loss, and penalties."""
        return jnp.concatenate([LOSSES[loss](self.residuals), self.penalties])


class Minimum(NamedTuple):
    """The best minimum; for each start the sum there, whether it converged, the number of steps."""

    best: Linear
    objectives: Float[Array, " starts"]
    converged: Bool[Array, " starts"]
    steps: Int[Array, " starts"]


def search(
    problem: Problem,
    data: Runs,
    guesses: Float[np.ndarray, "starts parameters"],
    fixed: Bool[np.ndarray, " n"],
    progress: bool = False,
) -> Minimum:
    """Minimise from each of the guesses x, keeping the numbers that are `fixed`."""
    if jax.default_backend() == "cpu":
        # In a batch every start would take as many steps as the slowest.
        each = [descend(problem, data, x, fixed) for x in _shown(guesses, progress)]
        found = jax.tree.map(lambda *parts: np.stack(parts), *each)
    else:
        found = jax.device_get(jax.vmap(lambda x: descend(problem, data, x, fixed))(guesses))
    places, objectives, converged, steps = found
    best = np.argmin(np.where(converged & np.isfinite(objectives), objectives, np.inf))
    return Minimum(jax.tree.map(lambda part: part[best], places), objectives, converged, steps)


def _shown(guesses: Float[np.ndarray, "starts parameters"], progress: bool) -> Iterable[Vector]:
    """The guesses, with a progress bar in a terminal if wanted."""
    if not progress:
        return guesses
    from tqdm import tqdm

    return tqdm(guesses, unit=" starts", disable=None)


def descend(
    problem: Problem, data: Runs, x: Vector, fixed: Bool[Array | np.ndarray, " n"]
) -> tuple[Linear, Array, Array, Array]:
    """The end of the search from x: its place, the sum there, whether it converged, its steps."""
    return _descend(problem, problem.program(data), data, x, fixed)


def linear_at(problem: Problem, data: Runs, p: Vector) -> Linear:
    """Values and Jacobians at the parameters p, by the program of a search in which none moves."""
    x = problem.parameters.free(np.asarray(p))
    return descend(problem, data, x, np.ones(x.shape, bool))[0]


@eqx.filter_jit
def _descend(
    problem: Problem, model: Traced, data: Runs, x: Vector, fixed: Bool[Array | np.ndarray, " n"]
) -> tuple[Linear, Array, Array, Array]:
    parameters, loss = problem.parameters, problem.loss
    program = model.only(lambda outcome: outcome.residuals)

    def residuals(p: Vector) -> Float[Array, " residuals"]:
        return program(p, data)

    # A solver takes its function several times; in this way it is differentiated once.
    @jax.jit
    def at(p: Vector, data: Runs) -> Linear:
        return Linear.at(p, lambda p: program(p, data), problem.penalties)

    def linear(p: Vector) -> Linear:
        return at(lax.stop_gradient(p), data)

    def place(y: Vector) -> Vector:
        return parameters.bounded(jnp.where(fixed, x, y))

    def by_jacobian(y: Vector, unit: Array) -> tuple[Float[Array, " terms"], Linear]:
        p = place(y)
        here = linear(p)
        return here.moved(p).terms(loss) / unit, here

    def plain(y: Vector, unit: Array) -> tuple[Float[Array, " terms"], None]:
        p = place(y)
        terms = [LOSSES[loss](residuals(p)), problem.penalties(p)]
        return jnp.concatenate(terms) / unit, None

    by_squares = isinstance(problem.solver, optx.AbstractGaussNewton)
    found = optx.least_squares(
        by_jacobian if by_squares else plain,
        problem.solver,
        x,
        # In these units the tolerances of a solver do not depend on the errors of the data.
        args=DAMPED * size_of(data),
        has_aux=True,
        max_steps=STEPS if by_squares else STEPS_OF_MINIMISERS,
        throw=False,
    )
    end = place(found.value)
    # `found.aux` is one step behind.
    there = found.state.aux.moved(end) if by_squares else linear(end)
    objective = jnp.sum(there.terms(loss) ** 2)
    done = (found.result == optx.RESULTS.successful) & jnp.isfinite(objective)
    return there, objective, done, found.stats["num_steps"]
