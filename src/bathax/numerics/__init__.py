r"""Mathematics without physics, on which the other chapters rest.

Volterra equations with a convolution kernel, u' = -\int_0^t k(t - s) u(s) ds (`volterra`), are
discretised by Gregory's rule (`gregory`) and solved as lower-triangular Toeplitz systems
(`toeplitz`) on a uniform grid (`grid`), which is refined for a tolerance (`refinement`). Solvers
without a grid use sums of exponentials and their integrals (`exponential_sum`), shortened by
balanced truncation (`balancing`), in coordinates for thermal noise (`passivity`); `faber`,
`taylor`, `sparse` and `contraction` evolve linear systems.
`quadrature`, `interpolation`, `special` and `elementary` are what their names say; `critical` finds
zeros and lines of zeros with their derivatives. Begin with `volterra`, which solves AHZ Eq. 14a.
"""
