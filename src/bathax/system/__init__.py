r"""Systems in reservoirs, how they start, and what a mode becomes of under the exact channel.

A `system` is a transition of frequency w_s and its reservoirs, whose self-energy Sigma(z) and
kernels add; `models` are a mode, H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ
Eq. 12), and a two-level atom (AHZ Eq. 20, NP). A `preparation` says how system and reservoirs start
together. `states` are those of a mode; from u(t) and v(t, t) each evolves by the exact channel (AHZ
Eq. 16, `channel`), Gaussian ones in closed form (`gaussian`). Begin with `system`, then `channel`.
"""
