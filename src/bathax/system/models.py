"""The two systems: a bosonic mode, and a two-level atom."""

from bathax.system.system import System


class Cavity(System):
    """H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ Eq. 12).

    `frequency` w_s > 0 and one `Reservoir` or several; their kernels add.
    """


class Qubit(System):
    """H = w_s s+s- + sum_k w_k b_k'b_k + sum_k (g_k s+ b_k + h.c.) (AHZ Eq. 20, NP).

    `frequency` w_s > 0 and one `Reservoir` or several; their kernels add. Basis states are counted
    by their quanta: 0 is the ground state, 1 the excited one.
    """
