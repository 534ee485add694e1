r"""T and mu of several modes, as slopes of E along their trajectory (AHZ Eqs. 10 and 11).

A state moves in E, in N and in S at once. As for a single mode, T = E'/S' and mu = E'/N' are slopes
along the motion, F = E - T S, and F - mu N is the grand potential. Through thermal states of given
T and mu, for which dE = T dS + mu dN, the slope is that T only if mu N' = 0: without a chemical
potential, or at constant N. `gibbs` has T and mu of the thermal state of equal E and N.

Of the modes <a' M a> changes by 2 Im sum_channels <a' Phi> M c in unit time, for M = 1, for M = h,
and for the modular Hamiltonian M = K of the state e^{-a' K a} / Z, which gives S'.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar
from bathax._linalg import eigh
from bathax.numerics.hermitian import FLOOR, logarithm
from bathax.system.linear import LinearSystem
from bathax.thermodynamics.resolution import Rate, is_resolved, propagated

# A state counts as pure if its entropy is below this.
PURE = 1e-9


class Slopes(eqx.Module):
    """Rates, T, mu and the potentials at each time; see `LinearSolution`."""

    energy_rate: Float[Array, "*times"]
    entropy_rate: Float[Array, "*times"]
    temperature: Float[Array, "*times"]
    chemical_potential: Float[Array, "*times"]
    free_energy: Float[Array, "*times"]
    grand_potential: Float[Array, "*times"]


class Motion(NamedTuple):
    """E, S and N at one time, or their rates of change."""

    energy: Rate
    entropy: Rate
    number: Rate


def slopes(
    system: LinearSystem,
    n: Complex[Array, "n n"],
    state: Motion,
    field: Rate,
    with_mean: tuple[Rate, Rate] | None = None,
) -> tuple[Slopes, Slopes]:
    """At one time, and errors, from n, from E, S and N, and from <a' Phi>.

    If there is a mean <a>, E' and N' are given `with_mean`; S does not depend on it.
    """
    blur = lax.stop_gradient(state.number.error)
    modular = Modular.of(n, blur, system.statistics)
    rates = _rates(system, modular, field)
    if with_mean is not None:
        rates = Motion(with_mean[0], rates.entropy, with_mean[1])
    T, mu = _slopes_of_energy(system, state, rates, modular)
    E, S, N = state
    free = Rate(
        E.value - T.value * S.value,
        E.error + propagated(T.value, S.error) + propagated(S.value, T.error),
    )
    grand = Rate(
        free.value - mu.value * N.value,
        free.error + propagated(mu.value, N.error) + propagated(N.value, mu.error),
    )
    found = (rates.energy, rates.entropy, T, mu, free, grand)
    return Slopes(*(each.value for each in found)), Slopes(*(each.error for each in found))


class Modular(NamedTuple):
    """K of the Gaussian state e^{-a' K a} / Z, and by how much its elements are off.

    K is ln((1 + n)/n) of bosons, ln((1 - n)/n) of fermions. The `blur` is that of its elements in
    the basis of the natural modes, of `vectors`.
    """

    K: Complex[Array, "n n"]
    blur: Float[Array, "n n"]
    vectors: Complex[Array, "n n"]

    @staticmethod
    def of(n: Complex[Array, "n n"], error: Scalar, statistics: str) -> "Modular":
        """From n, and the error of its eigenvalues.

        Elements of K change by divided differences of the logarithms. Where an eigenvalue is
        smaller than its error, its logarithm is not known at all.
        """
        unit, sign = jnp.eye(n.shape[0], dtype=complex), -1.0 if statistics == "fermion" else 1.0
        values, vectors = eigh(lax.stop_gradient(n))
        error = jnp.maximum(error, FLOOR)
        # Fermions fill a mode at most once: an error above 1/2 tells nothing.
        edge, most = (jnp.minimum(error, 0.5), 1.0) if sign < 0.0 else (error, jnp.inf)
        known = jnp.clip(values, edge, most - edge)
        hidden = jnp.where(values == known, 0.0, jnp.log(error / FLOOR))
        slope = _divided_logarithm(known) + _divided_logarithm(1.0 + sign * known)
        K = logarithm(unit + sign * n) - logarithm(n)
        return Modular(K, error * slope + jnp.diag(hidden), vectors)


def _divided_logarithm(x: Float[Array, " n"]) -> Float[Array, "n n"]:
    """(ln x - ln y) / (x - y) of all pairs; 1/x where they are equal."""
    gap = x[:, None] / x[None, :] - 1.0
    near = jnp.abs(gap) < 1e-6
    return jnp.where(near, 1.0, jnp.log1p(gap) / jnp.where(near, 1.0, gap)) / x[None, :]


def _rates(system: LinearSystem, modular: Modular, field: Rate) -> Motion:
    """E', S' and N'."""
    c = system.couplings

    def rate(M: Complex[Array, "n n"], further: Scalar | float = 0.0) -> Rate:
        driven = c @ M.T
        value = 2.0 * jnp.sum(field.value * driven).imag
        return Rate(value, 2.0 * (jnp.sum(field.error * jnp.abs(driven)) + further))

    ahead = jnp.abs(field.value @ modular.vectors)
    behind = jnp.abs(c @ modular.vectors.conj())
    further = jnp.einsum("ak,kl,al->", ahead, modular.blur, behind)
    unit = jnp.eye(system.size, dtype=complex)
    return Motion(rate(system.h), rate(modular.K, further), rate(unit))


def _slopes_of_energy(
    system: LinearSystem, state: Motion, rates: Motion, modular: Modular
) -> tuple[Rate, Rate]:
    """T and mu. Where no rate is known they are slopes along a rise of all modes alike.

    Along h slopes differ, by as much as the state differs from that of one mode, or from a thermal
    one with mu = 0.
    """
    h, K = system.h, modular.K
    zero = jnp.zeros(())
    scale = jnp.linalg.norm(h) ** 2 * (1.0 + state.number.value)

    def along(direction: Complex[Array, "n n"]) -> Motion:
        of_energy, of_entropy, of_number = (
            jnp.sum(M * direction.T).real for M in (h, K, jnp.eye(system.size, dtype=complex))
        )
        blurred = jnp.sum(jnp.abs(direction)) * jnp.max(modular.blur)
        return Motion(Rate(of_energy, zero), Rate(of_entropy, blurred), Rate(of_number, zero))

    alike, along_h = along(jnp.eye(system.size, dtype=complex)), along(h)

    def limit(by: str) -> Rate:
        value, other = (_ratio(each.energy, getattr(each, by)) for each in (alike, along_h))
        return Rate(value.value, value.error + jnp.abs(other.value - value.value))

    def slope(by: Rate, at_rest: Rate) -> Rate:
        resolved = is_resolved(rates.energy, by, scale)
        return _where(resolved, _ratio(rates.energy, by), at_rest)

    T = slope(rates.entropy, _where(state.entropy.value < PURE, Rate(zero, zero), limit("entropy")))
    # E = h N of one mode.
    mu = limit("number") if system.size == 1 else slope(rates.number, limit("number"))
    return T, mu


def _where(condition: Bool[Array, ""], one: Rate, other: Rate) -> Rate:
    return Rate(*(jnp.where(condition, a, b) for a, b in zip(one, other, strict=True)))


def _ratio(one: Rate, other: Rate) -> Rate:
    """one / other; its error is infinite where the denominator may vanish."""
    moving = other.value != 0.0
    value = jnp.where(moving, one.value / jnp.where(moving, other.value, 1.0), jnp.inf)
    left = jnp.abs(other.value) - other.error
    lost = one.error + propagated(value, other.error)
    return Rate(value, jnp.where(left > 0.0, lost / jnp.where(left > 0.0, left, 1.0), jnp.inf))
