r"""A cavity mode in its reservoirs (Fano-Anderson model): Green functions and what follows.

The model (AHZ Eq. 12, `bathax.system`) is solved by two functions of time, u(t) and v(t, t) of AHZ
Eq. 14 (`green`). Solvers compute them: `solvers` from the Volterra equation in time,
`diagonalisation` for separate modes, and `resonance` by contour deformation (AHZ Eq. 15) into the
lower half plane (`sheet`), where u is a sum over bound states and resonances (`poles`) and a branch
`cut`. `default` chooses among them. From u and v follow the exact master equation (AHZ Eq. 13,
`master_equation`), the limit of late times (AHZ Eqs. 17-19, `limits`), critical points (`critical`)
and the heat between reservoirs (`transport`). `frequency_domain` checks u and v independently.
Begin with `green`, then `solvers`, then `sheet`.
"""
