"""Claims of NP: `relaxation`, its conditions in `binding`, rates in `memory`, the `reservoir`."""

from bathax.papers.np.claims import binding, memory, relaxation, reservoir

HEADING = """\
## Quantum dynamics, master equation and equilibrium for a qubit

Nakazato, Pascazio, Sci. Rep. 16, 12970 (2026): a qubit in an Ohmic reservoir, J = eta w e^{-w/w_c}
with w_c = 5. Gamma = 2 pi J(w_s) (2n + 1) is the golden rule, D = P11 + P00 - 1 the determinant of
the map of the populations: two initial states differ by D times their first difference.
"""

CLAIMS = (*relaxation.CLAIMS, *binding.CLAIMS, *memory.CLAIMS, *reservoir.CLAIMS)
