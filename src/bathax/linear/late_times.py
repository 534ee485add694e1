r"""The covariance of several modes for t -> infinity, with bound states that beat for ever.

u(t) -> sum_b r_b e^{-i w_b t}, and with the noise that has come to the bound states

n(t) -> \int dw sum_a J_a n_a (G c_a) (G c_a)' + sum_bb' B_bb' e^{-i (w_b - w_b') t},
B_bb' = r_b [n(0) + sum_a c_a c_a' \int dw J_a n_a / ((w - w_b)(w - w_b'))] r_b'.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex

from bathax._checks import RealLike, Scalar, as_float, is_valid
from bathax._display import Record
from bathax._programs import program
from bathax.linear.bound_states import LinearBoundStates, bound_states, density
from bathax.linear.landauer import Integrals, relative_error
from bathax.linear.spectrum import Spectrum, require_leads
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem


class LongTimeCovariance(Record):
    r"""n_ij(t) = <a_j' a_i> for t -> infinity: a constant, and beats of bound states.

    n(t) tends to `n` + sum_bb' `amplitudes`_bb' e^{-i (w_b - w_b') t}, with the frequencies w_b of
    the `bound_states`; those that do not exist have no amplitude. Coherences of two bound states of
    different frequencies last for ever. `error` is an estimate of the absolute error.

    >>> bath = bx.Reservoir(bx.SemicircleBand(1.0, 1.0, 1.0), occupation=bx.Uniform(0.0))
    >>> mode = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))
    >>> late = bx.long_time_covariance(mode, bx.Covariance([[9.0]]))
    >>> beat = 2.0 * jnp.pi / (4.0 / jnp.sqrt(3.0))
    >>> [round(float(n.real[0, 0]), 4) + 0.0 for n in late.at([0.0, beat / 2.0])]
    [4.0, 0.0]
    """

    n: Complex[Array, "n n"]
    bound_states: LinearBoundStates
    amplitudes: Complex[Array, "states states n n"]
    error: Scalar

    def at(self, ts: RealLike) -> Complex[Array, "times n n"]:
        """n at late times."""
        phase = as_float(ts, "ts")[:, None] * self.bound_states.placed[None, :]
        turned = jnp.exp(-1j * phase.astype(complex))
        return self.n[None] + jnp.einsum("tb,bdij,td->tij", turned, self.amplitudes, turned.conj())


def long_time_covariance(system: LinearSystem, initial: Covariance) -> LongTimeCovariance:
    r"""n(t) for t -> infinity from the state `initial`, with `bound_states`.

    Each pair of bound states adds
    B_bb' = r_b [n(0) + sum_a c_a c_a' \int dw J_a n_a / ((w - w_b)(w - w_b'))] r_b' to the n of
    `steady_state`. Without bound states the start is forgotten. The
    error estimate is about the square of the change from half the nodes, plus the weight that
    neither the continuum nor the bound states have; it is constant to differentiation. Works under
    `jit`, `vmap` and `grad`; invalid input gives NaN.

    A dark superposition of two equal modes keeps what it had:

    >>> lead = bx.Reservoir(bx.FlatBand(0.4, -5.0, 5.0), 0.1, -9.0)
    >>> pair = bx.LinearSystem(jnp.zeros((2, 2)), bx.Channel(lead, [1.0, 1.0]), "fermion")
    >>> late = bx.long_time_covariance(pair, bx.Covariance([[1.0, 0.0], [0.0, 0.0]]))
    >>> np.round(late.at([0.0])[0].real, 4).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    require_leads(system)
    initial.require_fits(system)
    return _late(system, initial)


@program
def _late(system: LinearSystem, initial: Covariance) -> LongTimeCovariance:
    spectrum, found = Spectrum.of(system), bound_states(system)
    every = Integrals.over(system, spectrum)
    r, arrived = found.residues, brought(system, spectrum, found)
    kept = jnp.einsum("bik,kl,dlj->bdij", r, initial.n, r)
    noise = jnp.einsum("bik,sbdkl,dlj->sbdij", r, arrived, r)
    amplitudes = kept + noise[0]
    missed = jnp.trace(jnp.eye(system.size) - every.complete[0].real - jnp.sum(r, axis=0).real)
    parts = every.complete, every.n, noise
    size = jnp.max(jnp.abs(every.n[0])) + jnp.max(jnp.abs(amplitudes))
    error = size * (relative_error(parts, (jnp.ones(()), size, size)) + jnp.abs(missed))
    known = jnp.where(is_valid((system, initial)) & initial.exists_in(system), 0.0, jnp.nan)
    return LongTimeCovariance(
        every.n[0] + known, found, amplitudes + known, lax.stop_gradient(error) + known
    )


def brought(
    system: LinearSystem, spectrum: Spectrum, found: LinearBoundStates
) -> Complex[Array, "rules states states n n"]:
    r"""sum_a c_a c_a' \int dw J_a n_a / ((w - w_b)(w - w_b')), 0 for states inside of the bands.

    No reservoir brings anything to these.
    """
    outside = found.exist & (density(system, found.placed) == 0.0)
    apart = spectrum.w[None] - found.placed[:, None]
    response = jnp.where(outside[:, None], 1.0 / jnp.where(outside[:, None], apart, 1.0), 0.0)
    filled = spectrum.densities * spectrum.occupations
    shares = jnp.einsum("sq,bq,dq,aq->sbda", spectrum.weights, response, response, filled)
    c = system.couplings
    return jnp.einsum("sbda,ai,aj->sbdij", shares.astype(complex), c, c.conj())
