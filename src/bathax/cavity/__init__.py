r"""A cavity mode in its reservoirs (Fano-Anderson model): Green functions, channel, states.

H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ Eq. 12, `model`) is solved by two
functions of time, u(t) and v(t, t) of AHZ Eq. 14 (`green`). Solvers give them: `solvers` from the
Volterra equation in time, `resonance` as bound states, resonances and a cut (AHZ Eq. 15, with
`poles`), `diagonalisation` in separate modes; `default` chooses. From u and v follow the state from
any initial one (AHZ Eq. 16, `channel`, `states`, `gaussian`), the exact master equation (AHZ
Eq. 13, `master_equation`), the limit of late times (AHZ Eqs. 17-19, `limits`), critical points
(`critical`) and the heat between reservoirs (`transport`). `spectrum` checks u and v independently.
Begin with `green`, then `solvers` and `channel`.
"""
