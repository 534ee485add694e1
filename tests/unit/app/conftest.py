"""Studies, a small stand-in for what `bathax.solve` returns, and a solution of a qubit."""

import os
from dataclasses import dataclass, field, fields
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.solution.results import QubitQuantities, QubitSolution
from bathax.studies.quantities import OF_SOLUTION

# Commands in processes of their own share the programs of the tests, and touch no user's.
os.environ["BATHAX_CACHE"] = str(jax.config.jax_compilation_cache_dir)

STUDY = """\
[system]
kind = "cavity"
frequency = 1.0
initial = { fock = 2 }

[[reservoir]]
temperature = 3.0
spectral_density = { kind = "ohmic", eta = 0.05, cutoff = 5.0 }

[time]
stop = 5.0
points = 11
"""

QUBIT_STUDY = STUDY.replace('"cavity"', '"qubit"').replace("fock = 2", "excited = true")

TIMES = np.linspace(0.0, 5.0, 11)
REAL = [
    name
    for name, row in OF_SOLUTION.items()
    if "cavity" in row.systems and not (row.is_complex or row.has_levels or "resolved" in name)
]
ESTIMATED = ("u", "v", "energy", "entropy", "temperature", "free_energy")


@dataclass
class FakeSolution:
    """Arrays of the right names, shapes and types; every real one is i + t."""

    status: int = 0
    message: str = "successful"
    t: np.ndarray = field(default_factory=TIMES.copy)
    u: np.ndarray = field(default_factory=lambda: np.exp(-1j * TIMES))
    du: np.ndarray = field(default_factory=lambda: -1j * np.exp(-1j * TIMES))
    temperature_resolved: np.ndarray = field(default_factory=lambda: TIMES < 4.9)
    populations: np.ndarray = field(default_factory=lambda: np.full((11, 4), 0.25))
    initial: bx.Mixture = field(default_factory=lambda: bx.Fock(2))

    def __post_init__(self) -> None:
        for index, name in enumerate(REAL):
            setattr(self, name, index + TIMES)
        self.error = SimpleNamespace(**dict.fromkeys(ESTIMATED, 1e-09 * (1 + TIMES)))


@pytest.fixture
def solution() -> FakeSolution:
    return FakeSolution()


@pytest.fixture
def qubit_solution() -> QubitSolution:
    """A solution of a qubit; real quantities are i + t, probabilities below 1."""
    names = [field.name for field in fields(QubitQuantities)]
    t = jnp.asarray(TIMES)
    values = {name: i + t for i, name in enumerate(names)}
    values |= {"number": 0.1 * t, "coherence": 0.1j * t}
    return QubitSolution(
        origin=None,
        **values,
        t=t,
        error=QubitQuantities(**dict.fromkeys(names, 1e-09 * (1 + t))),
        temperature_resolved=t < 4.9,
        status=jnp.asarray(0),
        initial=bx.Excited(),
    )


@pytest.fixture
def study_text() -> str:
    return STUDY


@pytest.fixture
def qubit_study_text() -> str:
    return QUBIT_STUDY


@pytest.fixture
def study_file(tmp_path, study_text):
    path = tmp_path / "study.toml"
    path.write_text(study_text)
    return path


@pytest.fixture(autouse=True)
def _promotion_of_a_user():
    """The command runs with JAX's standard promotion of types, not the strict one of the tests."""
    with jax.numpy_dtype_promotion("standard"):
        yield
