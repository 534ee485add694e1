"""Exact, differentiable dynamics and thermodynamics of small quantum systems in reservoirs.

Importing `bathax` switches JAX to float64, which exact numbers need. The names below are loaded
when first used, so that `import bathax` and the command line's `--help` cost no JAX import.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if "jax" in sys.modules:
    sys.modules["jax"].config.update("jax_enable_x64", True)
else:
    os.environ["JAX_ENABLE_X64"] = "1"

__version__ = "0.1.0"

_HOME = {
    "Reservoir": "bathax.reservoir.reservoir",
    "BoseEinstein": "bathax.reservoir.occupation",
    "Distribution": "bathax.reservoir.occupation",
    "Uniform": "bathax.reservoir.occupation",
    "SpectralDensity": "bathax.reservoir.spectral_density",
    "Ohmic": "bathax.reservoir.ohmic",
    "BandEdge": "bathax.reservoir.ohmic",
    "Lorentzian": "bathax.reservoir.lorentzian",
    "DrudeLorentz": "bathax.reservoir.lorentzian",
    "SemicircleBand": "bathax.reservoir.band",
    "Tabulated": "bathax.reservoir.tabulated",
    "Cavity": "bathax.cavity.model",
    "Coherent": "bathax.cavity.states",
    "DensityMatrix": "bathax.cavity.states",
    "Fock": "bathax.cavity.states",
    "Gaussian": "bathax.cavity.states",
    "Mixture": "bathax.cavity.states",
    "Squeezed": "bathax.cavity.states",
    "Thermal": "bathax.cavity.states",
    "BornMarkov": "bathax.cavity.solvers",
    "Status": "bathax.cavity.solvers",
    "Volterra": "bathax.cavity.solvers",
    "Solution": "bathax.solve",
    "solve": "bathax.solve",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bathax' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
