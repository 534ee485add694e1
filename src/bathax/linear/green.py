r"""The Green functions of several modes, and their correlations with the reservoirs.

u' = -i h u - g * u, u(0) = 1, with g = sum_channels c c' g_channel as matrices. The covariance of
the noise is v(t) = \int \int u(t - s) g~(s - s') u(t - s')' ds ds'. All rates and currents follow
from correlations of modes with the field Phi of a reservoir and with Phi_w = sum_k w_k V_k b_k.
"""

import equinox as eqx
from jaxtyping import Array, Float, Inexact


class LinearGreenFunctions(eqx.Module):
    """u and v at each time, and for each channel <a_j' Phi> and <a_j' Phi_w>."""

    u: Inexact[Array, "*times n n"]
    v: Inexact[Array, "*times n n"]
    field: Inexact[Array, "*times channels n"]
    energy_field: Inexact[Array, "*times channels n"]


class Correlations(eqx.Module):
    """n, and <x' Phi> and <x' Phi_w> of each channel; or bounds of them."""

    n: Inexact[Array, "*times n n"]
    contact: Inexact[Array, "*times channels"]
    energy_contact: Inexact[Array, "*times channels"]


class DrivenGreenFunctions(LinearGreenFunctions):
    """Beside the Green functions what reservoirs do to u, the work done, and what they gained.

    u' = -i h u - i sum_channels c `memory`.
    """

    memory: Inexact[Array, "*times channels n"]
    work: Float[Array, "*times"]
    particles: Float[Array, "*times channels"]
    energy: Float[Array, "*times channels"]
