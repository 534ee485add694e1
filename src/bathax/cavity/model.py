"""The system: one bosonic mode coupled to one or several reservoirs."""

from bathax.reservoir.system import OpenSystem


class Cavity(OpenSystem):
    """H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ Eq. 12).

    `frequency` w_s > 0 and one `Reservoir` or several; their kernels add. At the start the cavity
    is uncorrelated with its reservoirs.
    """
