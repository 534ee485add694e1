"""What AHZ and NP claim and what the exact solution gives, as tables with numbers computed now.

Every number comes from results of `bathax.studies`, and every verdict follows from a condition on
numbers. Energies are in units of w_s, times in 1/w_s.
"""

from collections.abc import Iterable

from bathax.app.claims import cavity, qubit
from bathax.app.claims.row import AGREES as AGREES
from bathax.app.claims.row import DISAGREES as DISAGREES
from bathax.app.claims.row import PARTLY as PARTLY
from bathax.app.claims.row import Claim
from bathax.studies import paper
from bathax.studies.qubit import Results as QubitResults

CLAIMS = (*cavity.CLAIMS, *qubit.OF_ATOM, *qubit.OF_MAP)

HEADER = """\
# What the papers claim and what the exact solution gives

Units: hbar = k_B = w_s = 1; F = E - T S with E the energy of the bare system. A number behind ± is
the estimate of the numerical error. The verdict follows from a condition on the numbers.
"""

AHZ = """\
## Quantum thermodynamics of single particle systems

Ali, Huang, Zhang, Sci. Rep. 10, 13500 (2020): a cavity in an Ohmic reservoir of cutoff w_c = 5,
whose critical coupling is eta_c = 0.2, and an atom (Fig. 6) in a Lorentzian vacuum. T(inf) and
v(inf) are limits taken from the spectral form of the Green functions, not values at a late time.
"""

NP = """\
## Quantum dynamics, master equation and equilibrium for a qubit

Nakazato, Pascazio, Sci. Rep. 16, 12970 (2026): a qubit in an Ohmic reservoir, J = eta w e^{-w/w_c}
with w_c = 5. Gamma = 2 pi J(w_s) (2n + 1) is the golden rule, D = P11 + P00 - 1 the determinant of
the map of the populations: two initial states differ by D times their first difference.
"""


def tables(of_cavity: paper.Results, of_qubit: QubitResults) -> str:
    """The claims of both papers as a document in Markdown."""
    ahz = [claim(of_cavity) for claim in cavity.CLAIMS]
    ahz += [claim(of_qubit) for claim in qubit.OF_ATOM]
    np_rows = [claim(of_qubit) for claim in qubit.OF_MAP]
    return "\n".join([HEADER, AHZ, table(ahz), NP, table(np_rows)])


def table(rows: Iterable[Claim]) -> str:
    """One claim a line."""
    head = ["id", "claim", "parameters", "exact solution", "verdict"]
    cells = [
        [row.id, row.claim, row.parameters, "<br>".join(row.findings), f"**{row.verdict}**"]
        for row in rows
    ]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in cells]
    lines = [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *cells)]
    return "\n".join([*lines, ""])
