"""Claims of AHZ: `cavity` on Figs. 2-5, `atom` on Fig. 6, `text` and `transport` on laws.

`readings` has those of others on temperature at strong coupling.
"""

from bathax.papers.ahz.claims import atom, cavity, readings, text, transport

HEADING = """\
## Quantum thermodynamics of single particle systems

Ali, Huang, Zhang, Sci. Rep. 10, 13500 (2020): a cavity in an Ohmic reservoir of cutoff w_c = 5,
whose critical coupling is eta_c = 0.2, and an atom (Fig. 6) in a Lorentzian vacuum. T(inf) and
v(inf) are limits taken from the spectral form of the Green functions, not values at a late time.
"""

CLAIMS = (*cavity.CLAIMS, *text.CLAIMS, *transport.CLAIMS, *readings.CLAIMS, *atom.CLAIMS)
