"""The results and claims of two papers, computed with the library: cases, figures, verdicts.

`ahz` is Ali, Huang, Zhang, *Quantum thermodynamics of single particle systems*, Sci. Rep. 10, 13500
(2020); `np` is Nakazato, Pascazio, *Quantum dynamics, master equation and equilibrium for a qubit
coupled to a thermal boson field*, Sci. Rep. 16, 12970 (2026).

Each has `parameters`, modules that solve its cases, `results` with the list of all cases, `figures`
that draw them, and `claims` that compare the text of the paper with them. Both papers share the
modules `claims` and `times` here. The equations are in the library; the introductions of `ahz` and
`np` say where. Begin with `ahz.parameters` and `ahz.cavity`; `bathax figures` runs everything.
"""
