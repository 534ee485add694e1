r"""Mathematics without physics, on which the other chapters rest.

Volterra equations with a convolution kernel, u' = -\int_0^t k(t - s) u(s) ds (`volterra`), are
discretised by Gregory's rule (`gregory`) and solved as lower-triangular Toeplitz systems
(`toeplitz`) on a uniform grid (`grid`), which is refined for a tolerance (`refinement`). Sums of
exponentials and their integrals (`exponential_sum`), with as few terms as an accuracy needs
(`balancing`), serve the solvers that have no grid; `taylor` and `sparse` evolve linear systems.
`quadrature`, `interpolation`, `special` and `elementary` are what their names say, `critical` finds
zeros and lines of zeros with their derivatives. Begin with `volterra`, which is AHZ Eq. 14a without
the physics.
"""
