r"""A cavity mode in its reservoirs (Fano-Anderson model): Green functions and what they tell.

The mode (AHZ Eq. 12, `bathax.system`) is solved by two functions of time, u(t) and v(t, t) of AHZ
Eq. 14 (`green`). Solvers give them: `solvers` from the Volterra equation in time, `diagonalisation`
in separate modes, and `resonance` by contour deformation (AHZ Eq. 15): on the `sheet` below the
real axis u is bound states and resonances (`poles`) and a `cut`. `default` chooses. From u and v
follow the exact master equation (AHZ Eq. 13, `master_equation`), the limit of late times (AHZ Eqs.
17-19, `limits`), critical points (`critical`) and the heat between reservoirs (`transport`).
`frequency_domain` checks u and v independently. Begin with `green`, then `solvers`, then `sheet`.
"""
