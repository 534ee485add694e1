r"""Two-time functions and spectra of a qubit in its steady state, by the hierarchy.

An operator on the qubit acts in the same way on every auxiliary matrix (`correlations`), so that
the null vector x of the generator gives

<s+(t) s-(t + s)> = y(s) . [x s+],    <s-(t + s) s+(t)> = y(s) . [s+ x],    s >= 0,

with the elements y of charge 1 of the adjoint equation, y' = G y, evolved from the coherence. The
transform of y to frequencies is a resolvent,

S(w) = 1/(2 pi) \int ds e^{iws} <s+(t) s-(t + s)> = -(1 / pi) Re [x s+] . (i w + G)^{-1} y(0).
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax import _loops
from bathax._checks import RealLike, Scalar, as_float, require_kind, require_times
from bathax._display import Record
from bathax._linalg import solve
from bathax._programs import optimised
from bathax._status import Status, concluded
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.faber import evolve
from bathax.numerics.grid import span
from bathax.qubit.equilibrium import HORIZON, MAX_SIZE, null_vector, stationary
from bathax.qubit.generator import generator, spectrum
from bathax.qubit.hierarchy import Hierarchy
from bathax.qubit.index_set import Size
from bathax.qubit.structure import regression
from bathax.system.models import Qubit

# The usual tolerance, and w_s times the usual horizon of a spectrum. A narrow line needs the place
# of the resonance better than the population of a steady state does.
RTOL, FAR = 1e-4, 2.0 * HORIZON


class QubitCorrelation(Record):
    """Correlations of a qubit at two times in the steady state.

    `value` is <s+(t) s-(t + s)> and `greater` is <s-(t + s) s+(t)> at each delay s. `error` is an
    estimate of the absolute error of all of them, `status` a `Status`.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> qubit, solver = bx.Qubit(1.0, bath), bx.Hierarchy(depth=5, modes=1)
    >>> found = bx.qubit_correlation(qubit, [0.0, 5.0], solver)
    >>> [round(float(each[0].real), 4) for each in (found.value, found.greater)], found.message
    ([0.25, 0.75], 'The requested tolerance was reached.')
    """

    value: Complex[Array, " delays"]
    greater: Complex[Array, " delays"]
    error: Scalar
    status: Int[Array, ""]

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


class QubitSpectrum(Record):
    """What a qubit emits and absorbs in the steady state, at frequencies w.

    `emission` is S(w) and `absorption` is A(w), in inverse energy. `error` is an estimate of the
    absolute error of all of them, `status` a `Status`.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> found = bx.qubit_spectrum(bx.Qubit(1.0, bath), [1.0], bx.Hierarchy(depth=5, modes=1))
    >>> bool(found.error < 1e-4 * found.emission[0]), int(found.status)
    (True, 0)
    """

    emission: Float[Array, "*w"]
    absorption: Float[Array, "*w"]
    error: Scalar
    status: Int[Array, ""]

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def qubit_correlation(
    qubit: Qubit,
    delays: RealLike,
    solver: Hierarchy | None = None,
    horizon: RealLike | None = None,
    *,
    throw: bool = False,
) -> QubitCorrelation:
    """<s+(t) s-(t + s)> and <s-(t + s) s+(t)> at increasing `delays` s >= 0, in the steady state.

    At s = 0 they are the populations rho_11 and rho_00. An operator acts on the qubit and leaves
    what the reservoirs remember; the regression of a master equation would forget it. In the vacuum
    the second is u(s) of a cavity. `solver` is `Hierarchy(1e-4, max_size=4500)` if left out, and
    `horizon`, the error, `throw` and where it works are those of `steady_state` of a `Qubit`, but
    `horizon` is at least the last delay if left out.

    Weakly coupled, it decays with half the rate gamma_- + gamma_+ of the populations:

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> qubit, solver = bx.Qubit(1.0, bath), bx.Hierarchy(depth=5, modes=1)
    >>> found = bx.qubit_correlation(qubit, [50.0, 100.0], solver)
    >>> round(-float(jnp.log(jnp.abs(found.value[1] / found.value[0]))) / 50.0, 3)
    0.01
    """
    require_kind("qubit", "a `Qubit`", qubit, Qubit)
    delays = as_float(delays, "delays")
    require_times(delays)
    if horizon is None:
        horizon = jnp.maximum(HORIZON / qubit.frequency, span(delays))
    solver = Hierarchy(RTOL, max_size=MAX_SIZE) if solver is None else solver

    def of(qubit: Qubit, modes: ReducedModes, size: Size) -> Array:
        steps = solver.steps_for(qubit, modes, delays, size)
        return _functions(qubit, modes, delays, size, steps)

    values, error, status = stationary(qubit, of, solver, horizon)
    return concluded(QubitCorrelation(values[:, 0], values[:, 1], error, status), throw)


def qubit_spectrum(
    qubit: Qubit,
    w: RealLike,
    solver: Hierarchy | None = None,
    horizon: RealLike | None = None,
    *,
    throw: bool = False,
) -> QubitSpectrum:
    r"""S(w) and A(w), the transforms of <s+(t) s-(t + s)> and <s-(t + s) s+(t)>.

    S(w) = 1/(2 pi) \int ds e^{iws} <s+(t) s-(t + s)> is what a weakly coupled detector absorbs at
    the frequency `w` (Glauber, Phys. Rev. 130, 2529), and A likewise what a weak probe could lose;
    it is amplified by S. \int S dw is rho_11 and \int A dw is rho_00, but for what bound states
    hold. In equilibrium A = e^{w/T} S. `solver` is `Hierarchy(1e-4, max_size=4500)` if left out;
    its `rtol` is for w_s S and w_s A, relative to their largest value. `horizon`, 120 / w_s if left
    out, the error, `throw` and where it works are those of `steady_state` of a `Qubit`. For each
    frequency a dense matrix of half the elements is solved.

    In equilibrium the ratio of the spectra tells the temperature, also off resonance:

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> found = bx.qubit_spectrum(qubit, [0.8, 1.0])
    >>> np.round(np.array([0.8, 1.0]) / np.log(found.absorption / found.emission), 3).tolist()
    [1.0, 1.0]
    """
    require_kind("qubit", "a `Qubit`", qubit, Qubit)
    frequencies = as_float(w, "w")
    solver = Hierarchy(RTOL, max_size=MAX_SIZE) if solver is None else solver
    horizon = FAR / qubit.frequency if horizon is None else horizon

    def of(qubit: Qubit, modes: ReducedModes, size: Size) -> Array:
        return qubit.frequency * _spectra(qubit, modes, frequencies.ravel(), size)

    values, error, status = stationary(qubit, of, solver, horizon)
    emission, absorption = (values.T / qubit.frequency).reshape(2, *frequencies.shape)
    found = QubitSpectrum(emission, absorption, error / qubit.frequency, status)
    return concluded(found, throw)


@optimised
def _functions(
    qubit: Qubit, modes: ReducedModes, delays: Float[Array, " delays"], size: Size, steps: int
) -> Complex[Array, "delays 2"]:
    """Both functions; NaN if the time steps are too long."""
    pattern = regression(size)
    x = null_vector(qubit.frequency, modes, pattern)
    matrix, both = generator(qubit.frequency, modes, pattern.structure), pattern.structure
    start = jnp.zeros(both.size, complex).at[both.coherence[0]].set(1.0)
    places = jnp.asarray(np.concatenate([pattern.right[1], pattern.left[1]]))
    around = spectrum(*lax.stop_gradient((matrix, qubit.frequency, modes)), size)
    path = evolve(matrix, start, places, span(delays), around, steps)
    first = pattern.right.shape[1]
    moments = [
        path.moments[..., :first] @ x[pattern.right[0]],
        path.moments[..., first:] @ x[pattern.left[0]],
    ]
    series = eqx.tree_at(lambda path: path.moments, path, jnp.stack(moments, axis=-1))
    return series.with_derivatives(delays)[0]


@optimised
def _spectra(
    qubit: Qubit, modes: ReducedModes, w: Float[Array, " w"], size: Size
) -> Float[Array, "w 2"]:
    """S and A at each frequency."""
    pattern = regression(size)
    both, shift = pattern.structure, pattern.populations
    x = null_vector(qubit.frequency, modes, pattern)
    matrix = generator(qubit.frequency, modes, both).leading_block(both.size)[shift:, shift:]
    start = jnp.zeros(len(matrix), complex).at[both.coherence[0] - shift].set(-1.0 / jnp.pi)
    unit = 1j * jnp.eye(len(matrix), dtype=complex)

    def at(w: Scalar) -> Float[Array, "2"]:
        y = solve(matrix + w.astype(complex) * unit, start)
        sums = [y[after - shift] @ x[before] for before, after in (pattern.right, pattern.left)]
        return jnp.stack(sums).real

    return _loops.map(at, w)
