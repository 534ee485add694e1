r"""The spectra of what the modes emit and absorb in their steady state.

The free fields of the reservoirs drive the modes with the columns G c_a of the propagator. By the
theorem of Wiener and Khinchin the Fourier transforms of <a_j'(t) a_i(t + s)> and of
<a_i(t + s) a_j'(t)> are

S(w) = sum_a J_a n_a (G c_a) (G c_a)',    A(w) = sum_a J_a (1 +- n_a) (G c_a) (G c_a)',

with + for bosons and - for fermions. Back in time, <a_j'(t) a_i(t + s)> = \int dw e^{-iws} S_ij(w).
"""

import math
from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax import _loops
from bathax._checks import RealLike, Scalar, as_float, is_concrete, is_valid
from bathax._display import Record
from bathax._programs import program
from bathax.linear.landauer import Integrals, relative_error
from bathax.linear.spectrum import Spectrum, require_leads
from bathax.numerics.refinement import largest
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes

# Nodes for each point at which the axis is cut, the fewest and the most; they have to resolve
# e^{-iws}, for which they are twice as many whenever s times the bandwidth exceeds TURNS once more.
NODES, MOST, TURNS = 512, 32_768, 12.5
# The error is at most this multiple of the power 3/2 of the change from half the nodes, because
# nodes that do not resolve e^{-iws} everywhere converge more slowly than the square.
FACTOR = 10.0


def emission_spectrum(
    system: LinearSystem | Cavity, w: RealLike
) -> Complex[Array, "*w modes modes"]:
    r"""S_ij(w) = 1/(2 pi) \int ds e^{iws} <a_j'(t) a_i(t + s)> in the steady state.

    A detector that is weakly coupled to the modes with amplitudes d_i absorbs quanta of frequency
    `w` at a rate proportional to sum_ij d_i* S_ij d_j, the power spectrum of Wiener and Khinchin
    (Glauber, Phys. Rev. 130, 2529). \int S dw is n, but for what bound states hold; the sum over
    the reservoirs of J_a n_a (G c_a) (G c_a)' needs no integral. In equilibrium S is n(w) times the
    spectral function -(G - G') / (2 pi i). Works under `jit`, `vmap` and `grad`; an invalid system
    gives NaN. Separate modes are refused.

    An empty reservoir leaves nothing to emit, and a warm one fills the line of a cavity:

    >>> J = bx.Lorentzian(0.1, center=1.0, width=0.5)
    >>> cold, warm = (bx.Cavity(1.0, bx.Reservoir(J, occupation=bx.Uniform(n))) for n in (0.0, 1.0))
    >>> [round(float(bx.emission_spectrum(each, 1.0)[0, 0].real), 3) for each in (cold, warm)]
    [0.0, 6.366]
    """
    return _spectrum(_modes(system), as_float(w, "w"), emitted)


def absorption_spectrum(
    system: LinearSystem | Cavity, w: RealLike
) -> Complex[Array, "*w modes modes"]:
    r"""A_ij(w) = 1/(2 pi) \int ds e^{iws} <a_i(t + s) a_j'(t)> in the steady state.

    The rate at which the modes take up quanta of frequency `w` from a weak source with amplitudes
    d_j is proportional to sum_ij d_i* A_ij d_j; what a probe loses is the difference from what it
    is given, A - S with S of `emission_spectrum`. For bosons A - S, for fermions A + S, is the
    spectral function -(G - G') / (2 pi i), whose integral is 1 less the weight of bound states. In
    equilibrium A = e^{(w - mu)/T} S (Kubo, J. Phys. Soc. Jpn. 12, 570; Martin, Schwinger, Phys.
    Rev. 115, 1342). Works under `jit`, `vmap` and `grad`; an invalid system gives NaN. Separate
    modes are refused.

    In equilibrium the ratio of the spectra tells the temperature, here 2:

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0))
    >>> ratio = bx.absorption_spectrum(cavity, 0.5) / bx.emission_spectrum(cavity, 0.5)
    >>> round(0.5 / float(jnp.log(ratio[0, 0].real)), 6)
    2.0
    """
    return _spectrum(_modes(system), as_float(w, "w"), absorbed)


def _modes(system: LinearSystem | Cavity) -> LinearSystem:
    modes = as_modes(system)
    require_leads(modes)
    return modes


@program
def _spectrum(
    system: LinearSystem, w: Float[Array, "*w"], of: Callable[..., Array]
) -> Complex[Array, "..."]:
    found = of(system, Spectrum.at_frequencies(system, w.ravel()))
    found = jnp.where(is_valid(system), found, jnp.nan)
    return found.reshape(*w.shape, *found.shape[1:])


def emitted(_: LinearSystem, spectrum: Spectrum) -> Complex[Array, "nodes modes modes"]:
    """S at each node."""
    return _driven(spectrum, spectrum.occupations)


def absorbed(system: LinearSystem, spectrum: Spectrum) -> Complex[Array, "nodes modes modes"]:
    """A at each node."""
    return _driven(spectrum, 1.0 + system.sign * spectrum.occupations)


def _driven(
    spectrum: Spectrum, filling: Float[Array, "channels nodes"]
) -> Complex[Array, "nodes modes modes"]:
    """sum_a J_a f_a (G c_a) (G c_a)' at each node."""
    filled, columns = (spectrum.densities * filling).astype(complex), spectrum.columns
    return jnp.einsum("iaq,aq,jaq->qij", columns, filled, columns.conj())


class TwoTimeCorrelation(Record):
    """Correlations of modes at two times.

    `value` is <a_j'(t) a_i(t + s)> and `greater` is <a_i(t + s) a_j'(t)> at each delay s, and
    `error` an estimate of the absolute error of both.

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    >>> found = bx.two_time_correlation(bx.Cavity(1.0, bath), [0.0, 10.0])
    >>> bool(jnp.all(found.error < 1e-8))
    True
    """

    value: Complex[Array, "delays modes modes"]
    greater: Complex[Array, "delays modes modes"]
    error: Float[Array, " delays"]


def steady_correlation(system: LinearSystem | Cavity, delays: RealLike) -> TwoTimeCorrelation:
    """Of the steady state; see `two_time_correlation`."""
    modes, delays = _modes(system), as_float(delays, "delays").ravel()
    return _two_time_correlation(modes, delays, _nodes(modes, delays))


def _nodes(system: LinearSystem, delays: Float[Array, " delays"]) -> int:
    """How many nodes resolve the delays; the fewest inside `jit`, where they are not known."""
    widest = jnp.max(jnp.stack([bath.spectral_density.bandwidth for bath in system.reservoirs]))
    turns = largest(lax.stop_gradient(jnp.max(jnp.abs(delays), initial=0.0) * widest))
    if not is_concrete(turns) or not math.isfinite(turns):
        return NODES
    return min(NODES * 2 ** math.ceil(math.log2(max(float(turns) / TURNS, 1.0))), MOST)


@program
def _two_time_correlation(
    system: LinearSystem, delays: Float[Array, " delays"], count: int
) -> TwoTimeCorrelation:
    spectrum = Spectrum.of(system, count)
    known = jnp.where(is_valid(system), 0.0, jnp.nan)
    both = jnp.stack([emitted(system, spectrum), absorbed(system, spectrum)])
    every = lax.stop_gradient(Integrals.over(system, spectrum))
    size = jnp.max(jnp.abs(every.n[0]))

    def at(delay: Scalar) -> tuple[Array, Scalar]:
        phase = jnp.exp(-1j * (spectrum.w * delay).astype(complex))
        found = jnp.einsum("rq,q,kqij->rkij", spectrum.weights.astype(complex), phase, both)
        least = lax.stop_gradient(found)
        relative = relative_error([every.complete], [jnp.ones(())]) + every.lost
        change, rounded = jnp.max(jnp.abs(least[1] - least[0])), jnp.max(jnp.abs(least[2]))
        unresolved = jnp.minimum(change, FACTOR * change * jnp.sqrt(change / (1.0 + size)))
        error = unresolved + rounded + relative * jnp.maximum(size, 1.0)
        return found[0] + known, error + known

    found, error = _loops.map(at, delays)
    return TwoTimeCorrelation(found[:, 0], found[:, 1], error)
