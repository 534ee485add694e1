"""Ali, Huang, Zhang, *Quantum thermodynamics of single particle systems* (AHZ), computed exactly.

A cavity in an Ohmic reservoir and an atom in a Lorentzian vacuum, with their `parameters`. `cavity`
and `border` have the cases of Figs. 2-5, `atom` that of Fig. 6; `markov`, `zeroth_law`,
`oscillation` and `steady` those of claims in the text; `transport` has levels between leads,
`readings` other temperatures than theirs, and `phases` goes beyond the paper. `results` lists the
cases, `figures` draws them, and `claims` judges the statements of the paper. Begin with
`parameters` and `cavity`.

The equations are in the library:

- Eqs. 9-11, E, T, mu and F far from equilibrium: `bathax.thermodynamics.cavity`, of the atom
  `bathax.thermodynamics.qubit`; S of the state: `bathax.system.states`, of the atom
  `bathax.qubit.entropy`
- Eq. 12, the mode: `bathax.system.models`
- Eq. 13, master equation: `bathax.cavity.master_equation`, its coefficients `bathax.cavity.green`
- Eq. 14, u(t) and v(t, t): `bathax.cavity.green`, with the Volterra equation in
  `bathax.numerics.volterra`; v over frequencies: `bathax.cavity.frequency_domain`
- Eq. 15, bound states: `bathax.cavity.poles`; the spectral form of u(t), on a deformed contour:
  `bathax.cavity.resonance`; eta_c below it: `bathax.cavity.critical`
- Eq. 16, the state from any initial one: `bathax.system.channel`, `bathax.system.states`
- Eqs. 17-19, the exact limit of late times, which is theirs at weak coupling:
  `bathax.cavity.limits`; weak coupling itself: `BornMarkov` in `bathax.cavity.solvers`
- Eq. 20, the atom: `bathax.system.models`; Eqs. 21 and 22, its master equation and u(t):
  `bathax.qubit.dynamical_map`, `bathax.qubit.vacuum`; Eq. 23: `bathax.reservoir.lorentzian`. Eq. 24
  is what tests hold the u(t) of a `Lorentzian` against.
"""
