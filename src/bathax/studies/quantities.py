"""The table of quantities: everything that can be computed of a system, by name.

Each quantity is a row with its description, symbol, unit and formula, the systems that have it, how
it is computed, and its special values. Sweeps, fits, study files, results, figures and the command
line take all of this from here. Nothing here imports JAX, so that a study file is checked in
milliseconds; `bx` loads what it needs when a number is computed.
"""

from math import inf

import bathax as bx
from bathax.studies.driven import OF_DRIVE
from bathax.studies.quantity import (
    BOTH,
    CAVITY,
    CHANNEL,
    ENERGY,
    ENTROPY,
    ENTROPY_RATE,
    LINEAR,
    MATRIX,
    MODES,
    NOISE,
    NUMBER,
    POWER,
    QUBIT,
    RATE,
    TEMPERATURE,
    Case,
    Quantity,
    SystemQuantity,
)


def _has_poles_of_temperature(case: Case) -> bool:
    """Whether T(t) may have a pole: there are quanta to lose, and J has an edge."""
    from bathax.cavity.sheet import Sheet

    return case.initial.number > 0.0 and Sheet.of(case.system).edges.size > 0


# --- The table, in the order in which quantities are shown -------------------------------------

OF_SOLUTION = {
    "u": Quantity(
        "amplitude function u(t)",
        "u",
        NUMBER,
        LINEAR,
        "u' = -i w_s u - int_0^t g(t - s) u(s) ds",
        limits=(0.0, 1.0),
        is_complex=True,
        indices=MATRIX,
    ),
    "du": Quantity("rate of change of u(t)", r"\dot u", RATE, CAVITY, is_complex=True),
    "v": Quantity(
        "thermal noise function v(t, t)",
        "v",
        NUMBER,
        LINEAR,
        "v' = 2 Re[u* int_0^t g~(t - s) u(s) ds]",
        limits=(0.0, inf),
        indices=MATRIX,
        is_hermitian=True,
    ),
    "dv": Quantity("rate of change of v(t, t)", r"\dot v", RATE, CAVITY),
    "number": Quantity("mean number of quanta", "N", limits=(0.0, inf)),
    "coherence": Quantity(
        "coherence rho_10 of ground and excited state",
        r"\rho_{10}",
        NUMBER,
        QUBIT,
        limits=(0.0, 0.5),
        is_complex=True,
    ),
    "energy": Quantity(
        "internal energy E",
        "E",
        ENERGY,
        formula="E = w_s N, of several modes tr(h n)",
        limits=(0.0, inf),
    ),
    "entropy": Quantity(
        "von Neumann entropy S",
        "S",
        ENTROPY,
        formula="S = -Tr(rho ln rho)",
        limits=(0.0, inf),
    ),
    "energy_rate": Quantity("rate of change of E", r"\dot E", POWER),
    "entropy_rate": Quantity("rate of change of S", r"\dot S", ENTROPY_RATE),
    "temperature": Quantity("dynamical temperature T = dE/dS", "T", TEMPERATURE, has_poles=True),
    "temperature_resolved": Quantity(
        "whether T is a ratio of rates, not its limit",
        r"T\ \mathrm{is\ resolved}",
        NUMBER,
        BOTH,
    ),
    "chemical_potential": Quantity("dynamical chemical potential mu = dE/dN", r"\mu", ENERGY),
    "free_energy": Quantity("free energy F = E - T S", "F", ENERGY, has_poles=True),
    "interaction_energy": Quantity(
        "energy of the coupling to the reservoirs",
        r"\langle H_I\rangle",
        ENERGY,
        LINEAR,
        "<H_I>",
        indices=CHANNEL,
    ),
    "entropy_production": Quantity(
        "entropy production", r"\Delta_iS", ENTROPY, CAVITY, "S - S(0) - (E - E(0) + <H_I>) / T0"
    ),
    "populations": Quantity(
        "probability of each level",
        "p_n",
        NUMBER,
        BOTH,
        "p_n = <n|rho|n>",
        limits=(0.0, 1.0),
        has_levels=True,
    ),
    "population_above": Quantity(
        "probability of the levels left out", r"1-\sum_n p_n", NUMBER, CAVITY
    ),
}
OF_MAP = {
    "p11": Quantity(
        "P11, the probability to stay excited", "P_{11}", NUMBER, QUBIT, limits=(0.0, 1.0)
    ),
    "p00": Quantity(
        "P00, the probability to stay in the ground state",
        "P_{00}",
        NUMBER,
        QUBIT,
        limits=(0.0, 1.0),
    ),
    "c": Quantity(
        "factor c on the coherence",
        "c",
        NUMBER,
        QUBIT,
        "rho_10 = c rho_10(0)",
        attribute="coherence",  # that of a solution belongs to its state
        limits=(0.0, 1.0),
        is_complex=True,
    ),
    "determinant": Quantity(
        "determinant D = P11 + P00 - 1", "D", NUMBER, QUBIT, limits=(-1.0, 1.0)
    ),
    "dp11": Quantity("rate of change of P11", r"\dot P_{11}", RATE, QUBIT),
    "dp00": Quantity("rate of change of P00", r"\dot P_{00}", RATE, QUBIT),
    "dc": Quantity(
        "rate of change of c", r"\dot c", RATE, QUBIT, attribute="dcoherence", is_complex=True
    ),
    "ddeterminant": Quantity("rate of change of D", r"\dot D", RATE, QUBIT),
    "gamma_minus": Quantity(
        "rate gamma_- of emission", r"\gamma_-", RATE, QUBIT, "-P11' - (D'/D) (1 - P11)"
    ),
    "gamma_plus": Quantity(
        "rate gamma_+ of absorption", r"\gamma_+", RATE, QUBIT, "-P00' - (D'/D) (1 - P00)"
    ),
    "gamma_z": Quantity(
        "rate gamma_z of dephasing", r"\gamma_z", RATE, QUBIT, "[D'/(2 D) - Re(c'/c)] / 2"
    ),
    "shift": Quantity("frequency of the coherence", r"\omega", RATE, QUBIT, "-Im(c'/c)"),
    "rates_resolved": Quantity(
        "whether gamma_- and gamma_+ are known",
        r"\gamma_\pm\ \mathrm{are\ resolved}",
        NUMBER,
        QUBIT,
    ),
    "coherence_resolved": Quantity(
        "whether the shift is known", r"\omega\ \mathrm{is\ resolved}", NUMBER, QUBIT
    ),
}
OF_SYSTEM = {
    "critical_coupling": SystemQuantity(
        "factor on J from which on there is a bound state below",
        r"\eta_c\,/\,\eta",
        NUMBER,
        BOTH,
        "(e - w_s) / Sigma(e) at the lowest edge e of J",
        computed=lambda case: bx.critical_coupling(case.system),
    ),
    "critical_temperature": SystemQuantity(
        "kT0 above which T(t) has no pole",
        "T_0^*",
        TEMPERATURE,
        CAVITY,
        "where n_p = N(0)",
        computed=lambda case: bx.critical_temperature(case.system, case.initial.number),
        is_unbound=True,
        critical="kT0 above which T(t) has no pole",
        exists=_has_poles_of_temperature,
    ),
    "resonant_occupation": SystemQuantity(
        "quanta n_p from which E neither rises nor falls in the end",
        "n_p",
        NUMBER,
        CAVITY,
        "2 Re g~(z_p) / Gamma of the resonance z_p",
        computed=lambda case: bx.resonant_occupation(case.system),
        is_unbound=True,
        critical="resonant occupation",
    ),
    "final_energy": SystemQuantity(
        "E for t -> infinity",
        r"E(\infty)",
        ENERGY,
        CAVITY,
        computed=lambda case: bx.long_time_limit(case.system).energy(case.initial),
    ),
    "final_entropy": SystemQuantity(
        "S for t -> infinity",
        r"S(\infty)",
        ENTROPY,
        CAVITY,
        computed=lambda case: bx.long_time_limit(case.system).entropy(case.initial),
    ),
    "final_temperature": SystemQuantity(
        "T for t -> infinity",
        r"T(\infty)",
        TEMPERATURE,
        CAVITY,
        computed=lambda case: bx.long_time_limit(case.system).temperature(case.initial),
    ),
    "least_determinant": SystemQuantity(
        "least D(t)",
        r"\min D",
        NUMBER,
        QUBIT,
        computed=lambda case: bx.least_determinant(case.system, case.ts, case.solver),
        critical="least determinant",
    ),
    "conductance": SystemQuantity(
        "conductance dI/dmu of two channels",
        "G",
        NUMBER,
        MODES,
        computed=lambda case: bx.thermoelectric_coefficients(case.system).conductance,
    ),
    "thermopower": SystemQuantity(
        "thermopower of two channels",
        r"\mathcal{S}",
        NUMBER,
        MODES,
        "-dmu/dT without a current",
        computed=lambda case: bx.thermoelectric_coefficients(case.system).thermopower,
    ),
    "figure_of_merit": SystemQuantity(
        "thermoelectric figure of merit Z T",
        "ZT",
        NUMBER,
        MODES,
        computed=lambda case: bx.thermoelectric_coefficients(case.system).figure_of_merit,
    ),
    "current_noise": SystemQuantity(
        "noise of particle currents at zero frequency",
        "S_{kl}",
        RATE,
        MODES,
        computed=lambda case: bx.current_noise(case.system).value,
        indices=NOISE,
    ),
}
# Beside those of a solution, of several modes.
OF_MODES = {
    "n": Quantity(
        "covariance <a_j' a_i> of the modes",
        "n_{ij}",
        NUMBER,
        MODES,
        "u n(0) u' + v",
        limits=(0.0, inf),
        is_complex=True,
        indices=MATRIX,
        is_hermitian=True,
    ),
    "particle_current": Quantity(
        "particles that each reservoir gains in unit time",
        r"\dot N_k",
        RATE,
        MODES,
        indices=CHANNEL,
    ),
    "energy_current": Quantity(
        "energy that each reservoir gains in unit time", r"\dot E_k", POWER, MODES, indices=CHANNEL
    ),
    "grand_potential": Quantity(
        "grand potential F - mu N", r"\Omega", ENERGY, MODES, has_poles=True
    ),
}
OF_STEADY = {
    "steady_n": Quantity(
        "covariance of the modes for t -> infinity",
        r"n^\infty_{ij}",
        NUMBER,
        MODES,
        attribute="n",
        is_complex=True,
        indices=MATRIX,
        is_hermitian=True,
    ),
    "steady_number": Quantity(
        "mean number of quanta for t -> infinity", r"N^\infty", NUMBER, MODES, attribute="number"
    ),
    "steady_energy": Quantity(
        "energy of the modes for t -> infinity", r"E^\infty", ENERGY, MODES, attribute="energy"
    ),
    "steady_entropy": Quantity(
        "entropy of the modes for t -> infinity", r"S^\infty", ENTROPY, MODES, attribute="entropy"
    ),
    "steady_particle_current": Quantity(
        "particles that each reservoir gains in unit time for t -> infinity",
        r"\dot N^\infty_k",
        RATE,
        MODES,
        attribute="particle_current",
        indices=CHANNEL,
    ),
    "steady_energy_current": Quantity(
        "energy that each reservoir gains in unit time for t -> infinity",
        r"\dot E^\infty_k",
        POWER,
        MODES,
        attribute="energy_current",
        indices=CHANNEL,
    ),
    "bound_weight": Quantity("weight of bound states in all modes", "Z", NUMBER, MODES),
}
QUANTITIES = OF_SOLUTION | OF_MODES | OF_DRIVE | OF_MAP | OF_SYSTEM | OF_STEADY
# The quantities that summarise the thermodynamics of a solution.
STATE_FUNCTIONS = ("energy", "entropy", "temperature", "free_energy")
