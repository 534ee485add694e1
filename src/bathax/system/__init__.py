r"""Systems coupled to reservoirs, their initial states, and the exact channel of a mode.

A `system` is a transition of frequency w_s with its reservoirs, whose self-energies Sigma(z) and
kernels add. `models` has a mode, H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ
Eq. 12), and a two-level atom (AHZ Eq. 20, NP). A `preparation` is the joint initial state of system
and reservoirs. `linear` has several modes, bosons or fermions, and `lattices` makes those that are
often met. `states` are states of a mode: given u(t) and v(t, t), each evolves by the exact
channel (AHZ Eq. 16, `channel`), Gaussian ones in closed form (`gaussian`). Begin with `system`,
then `channel`.
"""
