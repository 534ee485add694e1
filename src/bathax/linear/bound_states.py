r"""Bound states of several modes: energies at which a part of the modes never decays.

Beyond all bands w - h - Delta(w), Delta = sum_channels c c' \int J / (w - w'), is Hermitian, and
its eigenvalues increase with w, since Delta falls. So each gap between bands has at most one bound
state for each of them, which bisection finds. With its eigenvector x, u(t) keeps a term
r e^{-i w_b t} for ever, where r = x x' / (x' (1 - Delta') x).

Inside of the bands there are bound states where superpositions of modes reach no reservoir: the
null vectors of \int e^{-s|t|} e^{-iht} (sum c c') e^{iht} dt, which h does not mix with others.
"""

from typing import overload

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax import _loops
from bathax._checks import Scalar, is_valid
from bathax._display import Table, Tabular
from bathax._linalg import eigh
from bathax._programs import program
from bathax.cavity import poles
from bathax.cavity.poles import BoundStates
from bathax.linear.spectrum import require_leads
from bathax.reservoir.occupation import Thermal
from bathax.system.linear import LinearSystem
from bathax.system.system import System

# Bisections of the logarithm of the distance from the ends of a gap, and its largest size.
BISECTIONS, DEEPEST = 64, 36.0
# The search begins so many times the size of all energies away from the bands.
BEYOND = 16.0
# Below this fraction of the largest eigenvalue of the integral above a mode reaches no reservoir.
DARK = 1e-13


class LinearBoundStates(Tabular, eqx.Module):
    """Bound states of several modes, in increasing order of their frequencies.

    `frequencies` w_b, and the weights as matrices, the `residues` r of the propagator, so that u(t)
    keeps sum_b r_b e^{-i w_b t} for ever. Both lists have a fixed length: entries that do not
    `exist` have the frequency NaN and the residue 0.

    >>> J = bx.SemicircleBand(eta=1.0, center=1.0, half_width=1.0)
    >>> modes = bx.LinearSystem([[1.0]], bx.Channel(bx.Reservoir(J), [1.0]))
    >>> found = bx.bound_states(modes)
    >>> [round(float(r.real[0, 0]), 4) for r in found.residues[found.exist]]
    [0.3333, 0.3333]
    """

    frequencies: Float[Array, " states"]
    residues: Complex[Array, "states n n"]
    exist: Bool[Array, " states"]

    @property
    def placed(self) -> Float[Array, " states"]:
        """The frequencies, or 0 where there is none, to be multiplied by the residue 0."""
        return jnp.where(self.exist, self.frequencies, 0.0)

    def filled(self, thermal: Thermal) -> Float[Array, " states"]:
        """n(w_b), and 0 where there is none; derivatives would be infinite at w = mu."""
        safe = jnp.where(self.exist, self.frequencies, thermal.level + 1.0)
        return jnp.where(self.exist, thermal(safe), 0.0)

    def _table(self) -> Table:
        weights = jnp.trace(self.residues, axis1=-2, axis2=-1).real
        columns = {"frequency": self.frequencies, "weight": weights}
        return poles.existing(type(self).__name__, self.exist, columns)


@overload
def bound_states(system: LinearSystem) -> LinearBoundStates:
    """Of several modes."""


@overload
def bound_states(system: System) -> BoundStates:
    """Of a cavity or a qubit."""


def bound_states(system: System | LinearSystem) -> BoundStates | LinearBoundStates:
    r"""Real w_b with w_b - h - Sigma(w_b) singular, and the residues of the propagator there.

    As in AHZ Eq. (15): u(t) keeps a term Z e^{-i w_b t} for ever. Of a `Cavity` or a `Qubit`
    w_b - w_s - Sigma(w_b) = 0 and Z = 1 / (1 - Sigma'(w_b)), outside the support of J. A gap has at
    most one, a band with two edges can have two bound states, whose beat never ends. In reservoirs
    of separate modes every eigenstate is bound.

    A `LinearSystem` of N modes has at most N in each gap, with matrices as weights, and bound
    states inside of the bands: superpositions of modes that no reservoir reaches. If several have
    exactly the same frequency in a gap, their residues are not exact.

    Works under `jit`, `vmap` and `grad`. If a bound state is within rounding of an edge, its
    residue is uncertain.

    A mode in the middle of a band with eta = W^2 has a bound state on either side, and of two equal
    modes with one coupling a superposition is dark:

    >>> bath = bx.Reservoir(bx.SemicircleBand(eta=1.0, center=1.0, half_width=1.0))
    >>> found = bx.bound_states(bx.Cavity(1.0, bath))
    >>> np.round(found.frequencies[found.exist], 4).tolist()  # 1 -+ 2 / sqrt(3)
    [-0.1547, 2.1547]
    >>> pair = bx.LinearSystem([[1.0, 0.0], [0.0, 1.0]], bx.Channel(bath, [0.6, 0.8]))
    >>> found = bx.bound_states(pair)
    >>> np.round(found.frequencies[found.exist], 4).tolist()
    [-0.1547, 1.0, 2.1547]
    """
    if not isinstance(system, LinearSystem):
        return poles.bound_states(system)
    require_leads(system)
    return _of_modes(system)


@program
def _of_modes(system: LinearSystem) -> LinearBoundStates:
    parts = _outside(system), _dark(system)
    w, residues, exist = (jnp.concatenate(part) for part in zip(*parts, strict=True))
    exist &= is_valid(system)
    w = jnp.where(exist, w, jnp.nan)
    order = jnp.argsort(w)
    residues = jnp.where(exist[:, None, None], residues, 0.0)
    return LinearBoundStates(w[order], residues[order], exist[order])


States = tuple[Float[Array, " states"], Complex[Array, "states n n"], Bool[Array, " states"]]


def _outside(system: LinearSystem) -> States:
    """Those in the gaps between bands, one for each gap and eigenvalue."""
    fixed = lax.stop_gradient(system)
    gaps = Gaps.of(fixed)
    level = jnp.tile(jnp.arange(system.size), gaps.low.shape[0])
    gaps = jax.tree.map(lambda ends: jnp.repeat(ends, system.size), gaps)

    def excess(u: Float[Array, " states"]) -> Float[Array, " states"]:
        """w less the eigenvalue of h + Delta(w)."""
        w = gaps.at(u)
        values = jax.vmap(lambda w: eigh(_shifted(fixed, w))[0])(w)
        return w - jnp.take_along_axis(values, level[:, None], axis=1)[:, 0]

    def halved(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        above = excess(middle) > 0.0
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    ends = jnp.full(level.shape, -DEEPEST), jnp.full(level.shape, DEEPEST)
    exist = gaps.empty & (excess(ends[0]) < 0.0) & (excess(ends[1]) > 0.0)
    low, high = _loops.fori_loop(0, BISECTIONS, halved, ends)
    w = jnp.where(exist, gaps.at(0.5 * (low + high)), gaps.outside)
    return *jax.vmap(lambda w, k: _residue(system, w, k))(w, level), exist


class Gaps(eqx.Module):
    """The intervals between the corners of all densities, and whether they are `empty`.

    `outside` is a frequency below all bands.
    """

    low: Float[Array, " gaps"]
    high: Float[Array, " gaps"]
    empty: Bool[Array, " gaps"]
    outside: Float[Array, " gaps"]

    @staticmethod
    def of(system: LinearSystem) -> "Gaps":
        """Those of a system, the first and the last one up to far away."""
        baths = system.reservoirs
        ends = jnp.concatenate([bath.spectral_density.corners for bath in baths])
        # Where J has no end anywhere, there are two intervals that are not empty.
        corners = jnp.sort(ends) if ends.size else jnp.zeros(1)
        size = jnp.linalg.norm(system.h) + jnp.sqrt(system.weight) + jnp.max(jnp.abs(corners))
        low = jnp.concatenate([corners[:1] - BEYOND * size, corners])
        high = jnp.concatenate([corners, corners[-1:] + BEYOND * size])
        probes = low[:, None] + (high - low)[:, None] * jnp.asarray([[0.23, 0.51, 0.74]])
        empty = jnp.all(density(system, probes) == 0.0, axis=1)
        return Gaps(low, high, empty, jnp.broadcast_to(low[0], low.shape))

    def at(self, u: Float[Array, " gaps"]) -> Float[Array, " gaps"]:
        """A frequency in each gap, even in the logarithm of the distance from its ends."""
        length = self.high - self.low
        below, above = length / (1.0 + jnp.exp(-u)), length / (1.0 + jnp.exp(u))
        return jnp.where(u < 0.0, self.low + below, self.high - above)


def density(system: LinearSystem, w: Float[Array, "..."]) -> Float[Array, "..."]:
    """The densities of all channels that are coupled."""
    strengths = jnp.sum(system.couplings.real**2 + system.couplings.imag**2, axis=1)
    return sum(
        (
            strength * bath.spectral_density(w)
            for strength, bath in zip(strengths, system.reservoirs, strict=True)
        ),
        jnp.zeros_like(w),
    )


def _shifted(system: LinearSystem, w: Scalar) -> Complex[Array, "n n"]:
    """h + Delta(w)."""
    shifts = [bath.spectral_density.level_shift(w) for bath in system.reservoirs]
    c = system.couplings
    return system.h + jnp.einsum("ai,aj,a->ij", c, c.conj(), jnp.stack(shifts).astype(complex))


def _residue(
    system: LinearSystem, w: Scalar, level: Int[Array, ""]
) -> tuple[Scalar, Complex[Array, "n n"]]:
    """w_b and x x' / (x' (1 - Delta') x), with derivatives from first-order perturbation theory."""
    values, vectors = eigh(_shifted(system, w))
    x, own = jnp.take(vectors, level, axis=1), jnp.take(values, level)
    others = jnp.where(values == own, 0.0, 1.0 / jnp.where(values == own, 1.0, values - own))
    around = (vectors * others.astype(complex)[None, :]) @ vectors.conj().T

    def matrix(w: Scalar) -> Complex[Array, "n n"]:
        return w.astype(complex) * jnp.eye(system.size, dtype=complex) - _shifted(system, w)

    value, slope = jax.jvp(matrix, (w,), (jnp.ones_like(w),))
    slope = (x.conj() @ slope @ x).real
    w = w - (x.conj() @ value @ x).real / lax.stop_gradient(slope)
    value, slope = jax.jvp(matrix, (w,), (jnp.ones_like(w),))
    x = x + lax.stop_gradient(around) @ value @ x
    slope = x.conj() @ slope @ x
    return w, jnp.outer(x, x.conj()) / slope


def _dark(system: LinearSystem) -> States:
    """Those inside of the bands: superpositions of modes that no reservoir reaches."""
    baths = system.reservoirs
    present = jnp.stack([bath.spectral_density.weight > 0.0 for bath in baths])
    levels, modes = eigh(system.h)
    couplings = (system.couplings.conj() @ modes) * present[:, None].astype(complex)
    apart = levels[:, None] - levels[None, :]
    width = jnp.where(apart[-1, 0] > 0.0, apart[-1, 0], 1.0)
    kernel = 1.0 / (1.0 + (apart / width) ** 2)
    reach, parts = eigh((couplings.conj().T @ couplings) * kernel.astype(complex))
    dark = (reach <= DARK * reach[-1]).astype(complex)
    onto = (parts * dark[None, :]) @ parts.conj().T
    # Other states are moved out of the way.
    inside = onto @ jnp.diag((levels - levels[0]).astype(complex)) @ onto
    aside = 4.0 * width.astype(complex) * (jnp.eye(system.size, dtype=complex) - onto)
    moved, vectors = eigh(inside + aside)
    x = lax.stop_gradient(modes @ vectors)
    w = jnp.einsum("ik,ij,jk->k", x.conj(), system.h, x).real
    residues = jnp.einsum("ik,jk->kij", x, x.conj())
    return w, residues, (moved < 2.0 * width) & (density(system, w) > 0.0)
