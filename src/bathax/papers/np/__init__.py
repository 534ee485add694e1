"""Nakazato, Pascazio, on a qubit coupled to a thermal boson field (NP), computed exactly.

A qubit in an Ohmic reservoir: parameters and the golden rule in `parameters`, how populations
merge in `relaxation`, rates of the master equation and zeros of D in `memory`, what the reservoir
gains in `reservoir`. `results` lists them, `figures` draws them, `claims` judges what the paper
says. Begin with `parameters`, `relaxation`.

The equations are in the library:

- the map P11, P00, c, its determinant D, the time-local master equation and its rates:
  `bathax.qubit.dynamical_map`
- the exact solution at any temperature: `bathax.qubit.hierarchy`, in the vacuum:
  `bathax.qubit.vacuum`
- the limit of van Hove, D = e^{-Gamma t}: `bathax.qubit.perturbative`
- all initial states merge if D goes to 0, `determinant_passage` and negative rates:
  `bathax.qubit.memory`; the least D: `bathax.qubit.critical`; where they end, and Boltzmann's
  population: `bathax.qubit.equilibrium`
- the reservoir, frequency by frequency: `bathax.qubit.reservoir_occupation`
"""
