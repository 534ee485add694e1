"""Energy, entropy, temperature and free energy far from equilibrium, with their errors.

E = Tr[rho H_S], S = -Tr[rho ln rho], T = (dE/dt) / (dS/dt), mu = dE/dN and F = E - T S along the
trajectory (AHZ Eqs. 9-11). Time derivatives are exact: they follow from u' and v', or from P11',
P00' and c' of the map. `cavity` has these quantities for a mode, with the energy of the coupling
and the entropy production, `qubit` for a two-level atom (AHZ Eq. 25). T is 0/0 in a steady state:
`resolution` decides where the ratio of the rates is used and where its limit. Begin with `cavity`.
"""
