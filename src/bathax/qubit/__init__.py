r"""A two-level atom in its reservoirs: its exact map, rates and memory (NP; AHZ Eqs. 20-25).

H = w_s s+s- + sum_k w_k b_k'b_k + sum_k (V_k s+ b_k + h.c.) conserves quanta, so that the
map is three functions, P11, P00 and c (`elements`), with the determinant D = P11 + P00 - 1 and the
time-local master equation read off them (NP, `dynamical_map`). Solvers give them: `hierarchy` at
any temperature, `vacuum` at T = 0, where they are the u(t) of a cavity (AHZ Eqs. 20-22),
`exact_diagonalisation` with a few modes, `perturbative` to second order in the coupling, with van
Hove's limit. `memory` says how much a map remembers, `critical` where it has no inverse and
`equilibrium` where it ends; `reservoir_occupation` follows the reservoir, mode by mode. Begin with
`dynamical_map`, then `vacuum` and `hierarchy`.
"""
