"""Energy, entropy, temperature and free energy far from equilibrium, with their errors.

E = Tr[rho H_S], S = -Tr[rho ln rho], T = (dE/dt) / (dS/dt), mu = dE/dN and F = E - T S along the
trajectory (AHZ Eqs. 9-11). Derivatives in time are exact, from u' and v' or from the rates of the
map. `cavity` has them for a mode, with the energy of the coupling and the entropy production,
`qubit` for a two-level atom (AHZ Eq. 25). `resolution` decides where T, which is 0/0 in a steady
state, is the ratio of its rates and where it is their limit. Begin with `cavity`.
"""
