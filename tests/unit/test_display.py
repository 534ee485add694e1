"""How objects show: readable, on one screen, whether known, traced or in a batch."""

import pydoc
import re
from html.parser import HTMLParser

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 4.0, 9)
SCREEN = 24
BATH = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=0.5)


def solution(frequency=1.0):
    return bx.solve(bx.Cavity(frequency, BATH), bx.Fock(2), TS, bx.BornMarkov())


def qubit():
    return bx.Qubit(1.0, BATH)


def fit():
    data = bx.Data(TS, energy=(5.0 * np.exp(-0.2 * TS), 0.1))
    return bx.fit(lambda rate: {"energy": 5.0 * jnp.exp(-rate * TS)}, data, {"rate": 0.5}, starts=1)


def occupation():
    mode = bx.Reservoir(bx.DiscreteModes([1.0], [0.1]))
    solver = bx.Hierarchy(depth=4, modes=1)
    return bx.reservoir_occupation(bx.Qubit(1.0, mode), bx.Excited(), TS, [1.0], solver)


BAND = bx.Cavity(1.0, bx.Reservoir(bx.SemicircleBand(1.0, 1.0, 1.0)))
RESULTS = {
    "Solution": solution,
    "QubitSolution": lambda: bx.solve(qubit(), bx.Bloch(0.6, 0.0, 0.2), TS, bx.VanHove()),
    "DynamicalMap": lambda: bx.dynamical_map(qubit(), TS, bx.VanHove()),
    "Estimate": lambda: bx.BornMarkov().green_functions(bx.Cavity(1.0, BATH), TS),
    "BoundStates": lambda: bx.bound_states(BAND),
    "Resonances": lambda: bx.resonances(bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(0.3, 1.0, 1.0)))),
    "LongTimeLimit": lambda: bx.long_time_limit(BAND),
    "SteadyState": lambda: bx.steady_state(qubit(), bx.Hierarchy(depth=2, modes=2)),
    "LinearSteadyState": lambda: bx.steady_state(
        bx.LinearSystem([[1.0]], bx.Channel(bx.Reservoir(bx.Ohmic(0.02, 5.0), 1.0), [1.0]))
    ),
    "LinearBoundStates": lambda: bx.bound_states(
        bx.LinearSystem([[1.0]], bx.Channel(BAND.reservoirs[0], [1.0]))
    ),
    "ReservoirOccupation": occupation,
    "Data": lambda: bx.Data(
        TS, energy=(5.0 * np.exp(-0.2 * TS), 0.1), u=(1j * np.asarray(TS), 0.1)
    ),
    "Fit": fit,
}


class Text(HTMLParser):
    """All text of a page, and the tags that are open."""

    def __init__(self):
        super().__init__()
        self.words, self.open = [], []

    def handle_starttag(self, tag, attrs):
        del attrs
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data.split()


@pytest.mark.slow
@pytest.mark.parametrize("kind", RESULTS)
@pytest.mark.filterwarnings("ignore::bathax.ToleranceWarning")
def test_a_result_fits_on_a_screen_and_says_the_same_as_html(kind):
    result = RESULTS[kind]()
    lines = repr(result).splitlines()
    assert lines[0].startswith(kind)
    assert len(lines) <= SCREEN
    page = Text()
    page.feed(result._repr_html_())
    assert not page.open
    assert page.words == repr(result).split()


def test_a_solution_says_what_it_is():
    found = solution()
    lines = [line.split() for line in repr(found).splitlines()]
    assert lines[0] == ["Solution", "at", "9", "times,", "t", "=", "0", "to", "4"]
    assert lines[1] == ["t", "=", "0", "t", "=", "2", "t", "=", "4", "largest", "error"]
    energy = {line[0]: line[1:] for line in lines}["energy"]
    np.testing.assert_allclose([float(x) for x in energy[:3]], found.energy[::4], rtol=1e-5)
    assert energy[3] == f"{jnp.max(found.error.energy):.1e}"
    assert lines[-2:] == [
        ["initial", "=", "Mixture(probabilities=[0,", "0,", "1])"],
        ["status:", *found.message.split()],
    ]


def test_a_batch_shows_shapes_and_how_many_ended_how():
    batch = jax.vmap(solution)(jnp.array([-1.0, 1.0, 2.0]))
    lines = repr(batch).splitlines()
    assert lines[0] == "Solution at times f64[3,9]"
    assert lines[2].split() == ["du", "c128[3,9]"]
    assert lines[-1] == "status: 2 SUCCESS, 1 INVALID"
    ohmic = jax.vmap(lambda eta: bx.Ohmic(eta, 5.0))(jnp.linspace(0.0, 1.0, 20))
    assert repr(ohmic).startswith("Ohmic(eta=f64[20], cutoff=f64[20], exponent=f64[20]): J(w) =")


def test_a_result_in_another_one_shows_its_heading():
    assert "bound_states  BoundStates: 2" in repr(bx.long_time_limit(BAND))


@pytest.mark.slow
def test_traced_results_show_shapes():
    seen = []

    def shown(frequency, ts):
        cavity = bx.Cavity(frequency, BATH)
        limits = bx.bound_states(BAND), bx.long_time_limit(BAND)
        found = bx.solve(cavity, bx.Fock(2), ts, bx.BornMarkov()), *limits
        seen.extend(map(repr, (cavity, *found)))
        return frequency

    jax.jit(shown)(1.0, TS)
    jax.vmap(shown, (0, None))(jnp.ones(2), TS)
    jax.grad(shown)(1.0, TS)
    assert seen[0].startswith("Cavity(\n  frequency=f64[],")
    assert "status: i64[]" in seen[1]


def test_a_system_shows_its_parameters():
    assert repr(bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)) == (
        "Reservoir(spectral_density=Ohmic(eta=0.1, cutoff=5, exponent=1), temperature=2)"
    )
    empty = bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0), occupation=bx.Uniform(0.5))
    assert "occupation=Uniform(number=0.5)" in repr(empty)
    one, two = repr(bx.Qubit(1.0, BATH)), repr(bx.Qubit(1.0, [BATH, empty]))
    assert one.splitlines()[2].startswith("  reservoirs=Reservoir(")
    assert two.splitlines()[2].startswith("  reservoirs=(")
    assert max(map(len, two.splitlines())) <= 100
    assert repr(bx.Bloch(0.6, 0.0, 0.2)) == "QubitState(rho=[[0.4, 0.3], [0.3, 0.6]])"
    assert repr(bx.Mixture(np.full(9, 1.0 / 9.0))) == "Mixture(probabilities=f64[9])"
    assert repr(bx.HeatCurrent(0.5, 1e-9)) == "HeatCurrent(value=0.5, error=1e-09)"


def test_a_system_as_html_has_a_row_for_each_parameter():
    page = Text()
    page.feed(bx.Cavity(1.0, [BATH, BATH])._repr_html_())
    assert not page.open
    assert page.words[:5] == ["Cavity", "parameter", "value", "frequency", "1"]
    place = page.words.index("reservoirs.1.spectral_density.eta")
    assert page.words[place + 1] == "0.02"


@pytest.mark.parametrize(
    "name", ["Ohmic", "Cavity", "Solution", "Resonance", "DynamicalMap", "Data"]
)
def test_help_has_no_names_of_python(name):
    text = pydoc.plain(pydoc.render_doc(getattr(bx, name)))
    assert re.findall(r"^ \|  (__\w+__)", text, re.MULTILINE) in ([], ["__call__"])
    assert len(text.splitlines()) < 140
