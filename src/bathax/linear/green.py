r"""The Green functions of several modes, and their correlations with the reservoirs.

u' = -i h u - g * u, u(0) = 1, with g = sum_channels c c' g_channel as matrices. The covariance of
the noise is v(t) = \int \int u(t - s) g~(s - s') u(t - s')' ds ds'. All rates and currents follow
from correlations of modes with the field Phi of a reservoir and with Phi_w = sum_k w_k V_k b_k.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar
from bathax.system.linear import LinearSystem, Rates


class LinearGreenFunctions(eqx.Module):
    """u and v at each time, and for each channel <a_j' Phi> and <a_j' Phi_w>."""

    u: Inexact[Array, "*times d d"]
    v: Inexact[Array, "*times d d"]
    field: Inexact[Array, "*times channels d"]
    energy_field: Inexact[Array, "*times channels d"]


class Correlations(eqx.Module):
    """n, and <x' Phi> and <x' Phi_w> of each channel; or bounds of them.

    In a general Gaussian state also <a_i a_j>, and the mean <a_i> which n does not contain.
    """

    n: Inexact[Array, "*times n n"]
    contact: Inexact[Array, "*times channels"]
    energy_contact: Inexact[Array, "*times channels"]
    pairs: Inexact[Array, "*times n n"] | None = None
    mean: Inexact[Array, "*times n"] | None = None

    @property
    def whole(self) -> "Correlations":
        """<a_j' a_i> and <a_i a_j> with what the mean is in them."""
        if self.mean is None:
            return self
        n = self.n + self.mean[:, None] * self.mean.conj()[None, :]
        pairs = self.pairs
        if pairs is not None:
            pairs = pairs + self.mean[:, None] * self.mean[None, :]
        return Correlations(n, self.contact, self.energy_contact, pairs, self.mean)


def expectation(
    numbers: LinearSystem | Rates, n: Array, pairs: Array | None, mean: Array | None
) -> Scalar:
    """tr(h n) + Re tr(Delta' <a a>) + 2 Re f* <a>: the energy of a system, or what it rises by."""
    value = jnp.sum(numbers.h * n.T).real
    if numbers.pairing is not None and pairs is not None:
        value += jnp.sum(numbers.pairing * pairs.T.conj()).real
    if numbers.force is not None and mean is not None:
        value += 2.0 * jnp.sum(numbers.force.conj() * mean).real
    return value


class Mean(eqx.Module):
    """<a>, or <(a, a')>, and <Phi> and <Phi_w> of each channel."""

    a: Inexact[Array, "*times d"]
    field: Inexact[Array, "*times channels"]
    energy_field: Inexact[Array, "*times channels"]


class DrivenGreenFunctions(LinearGreenFunctions):
    """Beside the Green functions what reservoirs do to u, the work done, and what they gained.

    u' = -i h u - i sum_channels c `memory`. If quanta are not conserved, u and v are those of
    (a, a'), and correlations with fields too. Correlations are those about the `mean`.
    """

    memory: Inexact[Array, "*times channels d"]
    work: Float[Array, "*times"]
    particles: Float[Array, "*times channels"]
    energy: Float[Array, "*times channels"]
    mean: Mean | None


def contact(
    numbers: Complex[Array, "channels d"], green: DrivenGreenFunctions, field: str
) -> Complex[Array, " channels"]:
    """<x' Phi> of x' = numbers (a', a), means included; or <x' Phi_w> by the "energy_field"."""
    value = jnp.sum(numbers * getattr(green, field), axis=1)
    if green.mean is None:
        return value
    return value + (numbers @ green.mean.a.conj()) * getattr(green.mean, field)


def contact_error(
    numbers: Complex[Array, "channels d"],
    green: DrivenGreenFunctions,
    error: DrivenGreenFunctions,
    field: str,
) -> Float[Array, " channels"]:
    """Its error; all elements of one quantity have the same."""
    strength = jnp.sum(jnp.abs(numbers), axis=1)
    value = strength * getattr(error, field)[:, 0]
    if green.mean is None or error.mean is None:
        return value
    moved, blur = jnp.max(jnp.abs(green.mean.a)), error.mean.a[0]
    of_mean = moved * getattr(error.mean, field) + blur * jnp.abs(getattr(green.mean, field))
    return value + strength * of_mean
