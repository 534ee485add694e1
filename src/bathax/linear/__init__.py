r"""Quadratic systems of several modes, bosons or fermions (AHZ Eqs. 3, 10 and 14 as matrices).

a' = -i h a - i sum_channels c Phi gives the Green functions u(t), v(t, t) as matrices, with which
n_ij = <a_j' a_i> is u n(0) u' + v. Begin with `green`, what solvers return; `volterra` computes it,
and so does `embedding`, independently.
"""
