"""Ali, Huang, Zhang, *Quantum thermodynamics of single particle systems* (AHZ), computed exactly.

A cavity in an Ohmic reservoir and an atom in a Lorentzian vacuum, with their `parameters`. `cavity`
and `border` have the cases of Figs. 2-5, `atom` that of Fig. 6; `markov`, `zeroth_law`,
`oscillation` and `steady` those of claims in the text; `phases` goes beyond the paper. `results`
lists the cases, `figures` draws them, and `claims` judges the statements of the paper. Begin with
`parameters` and `cavity`.

The equations are in the library:

- Eqs. 9-11, E, S, T, mu and F far from equilibrium: `bathax.thermodynamics`
- Eqs. 12-14, the model, master equation, u(t) and v(t, t): `bathax.system.models`,
  `bathax.cavity.master_equation`, `bathax.cavity.green`
- Eq. 15, bound states and the spectral form of u(t): `bathax.cavity.poles`,
  `bathax.cavity.resonance`; eta_c below it: `bathax.cavity.critical`
- Eq. 16, the state from any initial one: `bathax.system.channel`, `bathax.system.states`
- Eqs. 17-19, the limit of late times: `bathax.cavity.limits`
- Eqs. 20-25, the two-level atom: `bathax.system.models`, `bathax.qubit.vacuum`,
  `bathax.reservoir.lorentzian`
"""
