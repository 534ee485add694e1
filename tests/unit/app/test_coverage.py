"""Study files take everything the classes take; what they do not is listed with the reason."""

import dataclasses
import inspect

import pytest
from msgspec.structs import fields

import bathax as bx
from bathax.app.config import modes, reservoirs, systems
from bathax.app.config.rules import Kind
from bathax.cavity.solvers import Solver
from bathax.qubit.elements import MapSolver
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.spectral_density import Scaled, SpectralDensity, Sum
from bathax.system.states import State

# What a study file calls otherwise.
RENAMED = {"Tabulated": {"w": "file", "J": "file", "error": "file"}}
# Classes that have no table in a study file, and why.
WITHOUT_TABLE = {
    "SpectralDensity": "abstract",
    "Function": "a function of Python",
    "Rational": "what `Resonance` makes of a table",
    "Distribution": "a function of Python",
}
KINDS = [
    kind
    for module in (reservoirs, systems)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Kind) and kind is not Kind
]
STATES = {
    "fock": bx.Fock,
    "mixture": bx.Mixture,
    "coherent": bx.Coherent,
    "thermal": bx.Thermal,
    "squeezed": bx.Squeezed,
    "gaussian": bx.Gaussian,
    "density_matrix": bx.DensityMatrix,
    "excited": bx.Excited,
    "ground": bx.Ground,
    "bloch": bx.Bloch,
}


def public(*bases):
    """The public classes below some bases."""
    found = (getattr(bx, name) for name in dir(bx))
    return [one for one in found if isinstance(one, type) and issubclass(one, bases)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_table_has_the_fields_of_its_class(kind):
    name = kind.__name__
    of_class = getattr(bx, name, None) or {"Sum": Sum, "Scaled": Scaled}[name]
    renamed = RENAMED.get(name, {})
    expected = {renamed.get(one.name, one.name) for one in dataclasses.fields(of_class)}
    assert {one.name for one in fields(kind)} == expected


def test_every_class_has_a_table():
    bases = (SpectralDensity, Occupation, Solver, MapSolver)
    without = {one.__name__ for one in public(*bases)} - {kind.__name__ for kind in KINDS}
    assert without <= {*WITHOUT_TABLE}


def test_every_state_has_a_key():
    cavity = {one.name for one in fields(systems.CavityInitial)}
    joined = systems.CavityInitial.JOINED
    assert set(public(State)) <= {*STATES.values()}
    for name in cavity - {*joined}:
        parameters = [*inspect.signature(STATES[name]).parameters][1:]
        keys = [key for key, state in joined.items() if state == name]
        if name == "gaussian":
            keys = [one.name for one in fields(systems.Gaussian)][1:]
        assert keys == parameters, name
    qubit = {one.name for one in fields(systems.QubitInitial)}
    assert cavity - {*joined} | qubit == {*STATES}


@pytest.mark.parametrize(
    ("table", "make"),
    [
        (modes.Linear, bx.LinearSystem),
        (modes.ResonantLevel, bx.resonant_level),
        (modes.DoubleDot, bx.double_dot),
        (modes.Chain, bx.chain),
        (modes.CoupledCavities, bx.coupled_cavities),
    ],
)
def test_several_modes_take_what_makes_them(table, make):
    elsewhere = {"channels", "leads", "left", "right", "reservoirs"}
    parameters = {*inspect.signature(make).parameters} - elsewhere
    assert {one.name for one in fields(table)} == parameters | {"initial"}
