r"""A two-level atom in its reservoirs: its exact map, rates and memory (NP; AHZ Eqs. 20-25).

H = w_s s+s- + sum_k w_k b_k'b_k + sum_k (V_k s+ b_k + h.c.) conserves quanta, so that the map is
given by three functions of time, P11, P00 and c (`elements`). The determinant D = P11 + P00 - 1 and
the time-local master equation follow from them (NP, `dynamical_map`). Solvers compute them:
`hierarchy` at any temperature, `vacuum` at T = 0 from the u(t) of a cavity (AHZ Eqs. 20-25),
`exact_diagonalisation` for a few modes, `perturbative` to second order in the coupling, with van
Hove's limit. `memory` measures non-Markovianity, `critical` tells where the map has no inverse,
`equilibrium` has the steady state, and `reservoir_occupation` that of the reservoirs. Begin with
`dynamical_map`, then `vacuum` and `hierarchy`.
"""
