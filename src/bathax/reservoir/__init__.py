r"""Reservoirs: spectral densities, occupations, and the kernels that follow from them.

A density is J(w) = sum_k |V_k|^2 delta(w - w_k), without a factor pi (`spectral_density`); each
formula is a class of its own, in `ohmic`, `lorentzian`, `band`, `function`, `tabulated`, `rational`
and `discrete`. `occupation` has n(w) = 1 / (e^{w/T} - 1) and others. A `reservoir` is a density and
an occupation, with the memory and noise kernels of AHZ Eq. 14,

    g(t) = \int dw J(w) e^{-iwt},    g~(t) = \int dw J(w) n(w) e^{-iwt}.

`continuation` has the analytic continuation of J off the real axis, where contours are deformed to.
Begin with `spectral_density`, and read `ohmic` as the example of a density.
"""
