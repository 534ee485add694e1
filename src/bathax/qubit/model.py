"""The system: one two-level atom coupled to one or several reservoirs."""

from bathax.reservoir.system import OpenSystem


class Qubit(OpenSystem):
    """H = w_s s+s- + sum_k w_k b_k'b_k + sum_k (g_k s+ b_k + h.c.) (AHZ Eq. 20, NP).

    `frequency` w_s > 0 and one `Reservoir` or several; their kernels add. Basis states are counted
    by their quanta: 0 is the ground state, 1 the excited one. At the start the qubit is
    uncorrelated with its reservoirs, whose modes may have any occupation.
    """
