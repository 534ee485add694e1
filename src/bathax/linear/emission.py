r"""The spectrum of what the modes emit in their steady state.

The free fields of the reservoirs drive the modes with the columns G c_a of the propagator. By the
theorem of Wiener and Khinchin the Fourier transform of <a_j'(t) a_i(t + s)> is

S(w) = sum_a J_a n_a (G c_a) (G c_a)'.

Back in time, <a_j'(t) a_i(t + s)> = \int dw e^{-iws} S_ij(w).
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import RealLike, Scalar, as_float, is_valid
from bathax._display import Record
from bathax._programs import program
from bathax.linear.landauer import Integrals, relative_error
from bathax.linear.spectrum import Spectrum, require_leads
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes

# Nodes for each point at which the axis is cut; they have to resolve e^{-iws}.
NODES = 512


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
    return _emission_spectrum(_modes(system), as_float(w, "w"))


def _modes(system: LinearSystem | Cavity) -> LinearSystem:
    modes = as_modes(system)
    require_leads(modes)
    return modes


@program
def _emission_spectrum(system: LinearSystem, w: Float[Array, "*w"]) -> Complex[Array, "..."]:
    spectrum = Spectrum.at_frequencies(system, w.ravel())
    found = jnp.where(is_valid(system), _emitted(spectrum), jnp.nan)
    return found.reshape(*w.shape, *found.shape[1:])


def _emitted(spectrum: Spectrum) -> Complex[Array, "nodes modes modes"]:
    """S at each node."""
    filled = (spectrum.densities * spectrum.occupations).astype(complex)
    columns = spectrum.columns
    return jnp.einsum("iaq,aq,jaq->qij", columns, filled, columns.conj())


class TwoTimeCorrelation(Record):
    """Correlations of modes at two times in the steady state.

    `value` is <a_j'(t) a_i(t + s)> at each delay s, and `error` an estimate of the absolute error.

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    >>> found = bx.two_time_correlation(bx.Cavity(1.0, bath), [0.0, 10.0])
    >>> bool(jnp.all(found.error < 1e-9))
    True
    """

    value: Complex[Array, "delays modes modes"]
    error: Float[Array, " delays"]


def two_time_correlation(system: LinearSystem | Cavity, delays: RealLike) -> TwoTimeCorrelation:
    r"""<a_j'(t) a_i(t + s)> = \int dw e^{-iws} S_ij(w) at the `delays` s, in the steady state.

    At s = 0 it is n. Bosons have g1 = <a'(t) a(t + s)> / n and g2 = 1 + |g1|^2, as thermal light
    has. The error estimate, constant to differentiation, is about the square of the change from
    half the nodes, and includes the weight of bound states; it grows with long delays, for which
    nodes do not resolve e^{-iws}. Works under `jit`, `vmap` and `grad`; an invalid system gives
    NaN. Separate modes are refused.

    The light of a warm cavity loses its coherence:

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    >>> found = bx.two_time_correlation(bx.Cavity(1.0, bath), [0.0, 2.0, 10.0])
    >>> [f"{each:.3f}" for each in jnp.abs(found.value[:, 0, 0] / found.value[0, 0, 0])]
    ['1.000', '0.903', '0.369']
    """
    delays = as_float(delays, "delays")
    return _two_time_correlation(_modes(system), delays.ravel())


@program
def _two_time_correlation(
    system: LinearSystem, delays: Float[Array, " delays"]
) -> TwoTimeCorrelation:
    spectrum = Spectrum.of(system, NODES)
    emitted, known = _emitted(spectrum), jnp.where(is_valid(system), 0.0, jnp.nan)
    every = lax.stop_gradient(Integrals.over(system, spectrum))
    size = jnp.max(jnp.abs(every.n[0]))

    def at(delay: Scalar) -> tuple[Array, Scalar]:
        phase = jnp.exp(-1j * (spectrum.w * delay).astype(complex))
        found = jnp.einsum("rq,q,qij->rij", spectrum.weights.astype(complex), phase, emitted)
        parts = every.complete, lax.stop_gradient(found)
        relative = relative_error(parts, (jnp.ones(()), size))
        return found[0] + known, relative * size + every.lost * jnp.maximum(size, 1.0) + known

    return TwoTimeCorrelation(*jax.vmap(at)(delays))
