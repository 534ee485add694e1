r"""The Green functions of several modes, and their correlations with the reservoirs.

u' = -i h u - g * u, u(0) = 1, with g = sum_channels c c' g_channel as matrices. The covariance of
the noise is v(t) = \int \int u(t - s) g~(s - s') u(t - s')' ds ds'. All rates and currents follow
from correlations of modes with the field Phi of a reservoir and with Phi_w = sum_k w_k V_k b_k.
"""

import equinox as eqx
from jaxtyping import Array, Float, Inexact


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
