"""What two papers compute and claim, computed again with the library: cases, figures, verdicts.

`ahz` is Ali, Huang, Zhang, *Quantum thermodynamics of single particle systems*, Sci. Rep. 10, 13500
(2020); `np` is Nakazato, Pascazio, *Quantum dynamics, master equation and equilibrium for a qubit
coupled to a thermal boson field*, Sci. Rep. 16, 12970 (2026).

Each has its `parameters`, modules that solve its cases, `results` with the list of all of them,
`figures`, which draw results, and `claims`, which compare the text with them. `claims` and `times`
here are what both papers share. The equations themselves are in the library: the introduction of
each paper says where. Begin with `ahz.parameters` and `ahz.cavity`; `bathax figures` runs it all.
"""
