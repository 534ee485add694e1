"""The two systems: a bosonic mode, and a two-level atom."""

from bathax.system.system import System


class Cavity(System):
    """H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ Eq. 12).

    `frequency` w_s > 0, and `reservoirs`, one `Reservoir` or several; their kernels add.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> round(float(2.0 * jnp.pi * cavity.spectral_density(1.0)), 4)  # the golden-rule decay rate
    0.5144
    """


class Qubit(System):
    """H = w_s s+s- + sum_k w_k b_k'b_k + sum_k (V_k s+ b_k + h.c.) (AHZ Eq. 20, NP).

    `frequency` w_s > 0, and `reservoirs`, one `Reservoir` or several; their kernels add. Basis
    states are counted by their quanta: 0 is the ground state, 1 the excited one.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0)))
    >>> round(float(2.0 * jnp.pi * qubit.spectral_density(1.0)), 4)  # gamma0, decay without memory
    0.1
    """
