"""Nakazato, Pascazio, on a qubit coupled to a thermal boson field (NP), computed exactly.

A qubit in an Ohmic reservoir: `parameters` has the parameters and the golden rule, `relaxation` how
the populations of different initial states merge, `memory` the rates of the master equation and
zeros of D, `binding` what a bound state keeps, `reservoir` the occupation of the reservoir.
`results` lists the cases, `figures` draws them, and `claims` judges the statements of the paper.
Begin with `parameters` and `relaxation`.

The equations are in the library:

- the map P11, P00, c, its determinant D, the time-local master equation and its rates:
  `bathax.qubit.dynamical_map`
- the exact solution at any temperature: `bathax.qubit.hierarchy`, in the vacuum:
  `bathax.qubit.vacuum`
- the limit of van Hove, D = e^{-Gamma t}: `bathax.qubit.perturbative`
- all initial states merge if D goes to 0, `determinant_passage` and negative rates:
  `bathax.qubit.memory`; the least D: `bathax.qubit.critical`; where they end, and Boltzmann's
  population: `bathax.qubit.equilibrium`
- bound states, which keep D above 0 in the vacuum: `bathax.cavity.poles`
- the reservoir, frequency by frequency: `bathax.qubit.reservoir_occupation`
"""
