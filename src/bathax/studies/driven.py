"""Rows of the table of quantities of systems that change in time, or make pairs."""

from bathax.studies.quantity import (
    CHANNEL,
    DRIVEN,
    ENERGY,
    MATRIX,
    MODE,
    NUMBER,
    POWER,
    Quantity,
)

OF_DRIVE = {
    "power": Quantity("power of the drive", r"\dot W", POWER, DRIVEN),
    "work": Quantity("work of the drive", "W", ENERGY, DRIVEN),
    "particle_gain": Quantity(
        "particles that each reservoir has gained", r"\Delta N_k", NUMBER, DRIVEN, indices=CHANNEL
    ),
    "energy_gain": Quantity(
        "energy that each reservoir has gained", r"\Delta E_k", ENERGY, DRIVEN, indices=CHANNEL
    ),
    "heat": Quantity(
        "heat of each reservoir, its energy less mu times particles",
        "Q_k",
        ENERGY,
        DRIVEN,
        indices=CHANNEL,
    ),
    "anomalous": Quantity(
        "covariance <a_i a_j> of the modes",
        "m_{ij}",
        NUMBER,
        DRIVEN,
        is_complex=True,
        indices=MATRIX,
    ),
    "displacement": Quantity(
        "mean field of each mode",
        r"\langle a_i\rangle",
        NUMBER,
        DRIVEN,
        is_complex=True,
        indices=MODE,
    ),
}
