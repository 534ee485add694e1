"""Study files of driven systems: functions of the time, starts, numbers that vary."""

import inspect
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from msgspec.structs import fields

import bathax as bx
from bathax.app import config
from bathax.app.config import drives, starts
from bathax.app.config.varying import with_values
from bathax.studies.observe import observe

CAVITY = """
[system]
kind = "cavity"
frequency = { kind = "sinusoid", mean = 1.0, amplitude = 0.3, frequency = 1.2 }
initial = { thermal = 0.5 }

[[reservoir]]
temperature = 1.0
spectral_density = { kind = "ohmic", eta = 0.1, cutoff = 2.0 }

[time]
stop = 3.0
points = 4
"""
LEAD = """
[[reservoir]]
temperature = 0.1
spectral_density = { kind = "flat", gamma = 0.5, low = -5.0, high = 5.0 }
"""
QUENCH = f"""
[system]
kind = "level"
energy = {{ kind = "ramp", start = 0.0, stop = 1.0, center = 1.0, width = 0.5 }}

[start]
kind = "equilibrium"
system = {{ kind = "level", energy = 0.0 }}
{LEAD}switch = {{ kind = "pulse", base = 1.0, height = -0.5, center = 2.0, width = 0.5 }}

[time]
stop = 3.0
points = 4
"""
PAIRS = """
[system]
kind = "linear"
h = [[{ kind = "samples", times = [0, 1, 2, 3], values = [1.0, 1.2, 1.1, 1.0] }, 0.1], [0.1, 1.4]]
pairing = [[0.05, 0.0], [0.0, 0.0]]
force = [{ kind = "pulse", base = 0.0, height = 0.3, center = 1.0, width = 0.5 }, 0.0]
initial = { occupations = [0.3, 0.1] }

[[reservoir]]
temperature = 1.0
coupling = [1.0, 0.2]
counter = [0.1, [0.0, 0.05]]
spectral_density = { kind = "ohmic", eta = 0.05, cutoff = 2.0 }

[time]
stop = 3.0
points = 4
"""


def parse(text):
    return config.parse(text, Path())


def solved(text):
    return bx.solve(*parse(text).build())


@pytest.mark.parametrize(
    "kind", [drives.Ramp, drives.Sinusoid, drives.Pulse, drives.Samples], ids=lambda k: k.__name__
)
def test_a_table_has_the_fields_of_its_class(kind):
    parameters = inspect.signature(getattr(bx, kind.__name__)).parameters
    assert [one.name for one in fields(kind)] == [*parameters]


def test_every_start_that_a_file_can_have():
    kinds = {bx.Equilibrium, bx.Stationary, bx.Periodic}
    assert {getattr(bx, kind.__name__) for kind in starts.Start.__args__} == kinds


@pytest.mark.slow
def test_a_driven_cavity():
    bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    cavity = bx.Cavity(bx.Sinusoid(1.0, 0.3, 1.2), bath)
    other = bx.solve(cavity, bx.Thermal(0.5), jnp.linspace(0.0, 3.0, 4))
    np.testing.assert_allclose(solved(CAVITY).work, other.work, rtol=1e-13, atol=1e-14)


@pytest.mark.slow
def test_a_quench():
    lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1)
    switch = bx.Pulse(1.0, -0.5, 2.0, 0.5)
    dot = bx.LinearSystem(
        [[bx.Ramp(0.0, 1.0, 1.0, 0.5)]], bx.Channel(lead, [1.0], switch), "fermion"
    )
    start = bx.Equilibrium(bx.resonant_level(0.0, lead))
    other = bx.solve(dot, start, jnp.linspace(0.0, 3.0, 4))
    found = solved(QUENCH)
    np.testing.assert_allclose(found.number, other.number, rtol=1e-13)
    np.testing.assert_allclose(found.heat, other.heat, atol=1e-13)


@pytest.mark.slow
def test_pairs_and_forces():
    bath = bx.Reservoir(bx.Ohmic(0.05, 2.0), temperature=1.0)
    system = bx.LinearSystem(
        [[bx.Samples([0, 1, 2, 3], [1.0, 1.2, 1.1, 1.0]), 0.1], [0.1, 1.4]],
        bx.Channel(bath, [1.0, 0.2], counter=[0.1, 0.05j]),
        pairing=[[0.05, 0.0], [0.0, 0.0]],
        force=[bx.Pulse(0.0, 0.3, 1.0, 0.5), 0.0],
    )
    start = bx.Covariance([[0.3, 0.0], [0.0, 0.1]])
    other = bx.solve(system, start, jnp.linspace(0.0, 3.0, 4))
    found = solved(PAIRS)
    np.testing.assert_allclose(found.displacement, other.displacement, atol=1e-13)
    np.testing.assert_allclose(found.anomalous, other.anomalous, atol=1e-13)


def test_the_other_starts():
    bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    cavity = CAVITY.replace("initial = { thermal = 0.5 }", "")
    was = '[start]\nkind = "stationary"\nsystem = { kind = "cavity", frequency = 1.5 }\n'
    *_, stationary, _, _ = parse(cavity + was).build()
    assert float(stationary.system.frequency) == 1.5
    assert float(stationary.system.reservoirs[0].temperature) == float(bath.temperature)
    periodic = parse(cavity + '[start]\nkind = "periodic"\nperiod = 5.0\n').build()[1]
    assert isinstance(periodic, bx.Periodic)


def test_names_of_quantities():
    assert parse(CAVITY).kinds == ("cavity", "driven")
    assert parse(QUENCH).kinds == parse(PAIRS).kinds == ("modes", "driven", "driven modes")
    constant = PAIRS.replace("pairing = [[0.05, 0.0], [0.0, 0.0]]", "")
    assert parse(constant).kinds == parse(PAIRS).kinds


@pytest.mark.slow
def test_numbers_of_drives_vary():
    """In sweeps and fits; negative ones where the rule allows."""
    study = parse(CAVITY + "[fit]\nfree = ['system.frequency.amplitude']\n")
    there = with_values(study, {"system.frequency.amplitude": jnp.asarray(0.1)})
    found = observe(["work", "heat_0"], *there.build())
    assert float(there.build()[0].frequency.call.amplitude) == 0.1
    assert found["work"].shape == found["heat_0"].shape == (4,)
    axes = "[sweep]\nquantities = ['work', 'anomalous_0_0', 'heat_0']\n[sweep.axes]\n"
    parse(PAIRS + axes + "'system.force.0.height' = { values = [0.1, 0.2] }\n")
    parse(PAIRS + axes + "'system.h.0.0.values.2' = { values = [1.1, 1.2] }\n")
    parse(QUENCH + axes + "'reservoir.0.switch.height' = { values = [-0.1, -0.2] }\n")
    parse(QUENCH + axes + "'start.system.energy' = { values = [-0.1, -0.2] }\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CAVITY.replace("1.2 }", '"fast" }'), "`system.frequency.frequency` must be a finite"),
        (CAVITY.replace("sinusoid", "sinus"), "`system.frequency.kind` must be `ramp`, `sinus"),
        (CAVITY.replace('kind = "sinusoid", ', ""), "Missing key `system.frequency.kind`"),
        (CAVITY.replace("amplitude = 0.3", "amplitud = 0.3"), "did you mean `amplitude`"),
        (CAVITY.replace("initial = { thermal = 0.5 }", ""), "Missing key `system.initial`"),
        (QUENCH.replace("[start]", "initial = { occupations = [0] }\n[start]"), "left out beside"),
        (QUENCH.replace('"equilibrium"', '"warm"'), "`start.kind` must be `equilibrium`"),
        (QUENCH.replace('"level", energy = 0.0', '"cavity", frequency = 1.0'), "of several modes"),
        (
            QUENCH.replace("energy = 0.0", "energy = 0.0, initial = { occupations = [0] }"),
            "`start.system.initial` must be left out",
        ),
        (CAVITY.replace("temperature", "counter = [1.0]\ntemperature"), "left out for a cavity"),
        (PAIRS.replace("counter = [0.1, [0.0, 0.05]]", "counter = [0.1]"), "a list of 2"),
        (PAIRS.replace("pairing = [[0.05, 0.0],", "pairing = ["), "`system.pairing` must be 2"),
        (
            CAVITY + "[sweep]\nquantities = ['work']\n[sweep.axes]\n"
            "'system.frequency' = { values = [1.0] }\n",
            "the path of a number",
        ),
        (
            CAVITY + "[sweep]\nquantities = ['anomalous']\n[sweep.axes]\n"
            "'system.frequency.mean' = { values = [1.0] }\n",
            "`sweep.quantities` must be among",
        ),
    ],
)
def test_refused(text, words):
    with pytest.raises(config.StudyError, match=words):
        parse(text)


def test_a_quench_of_what_has_bound_couplings_is_blamed_where_it_is():
    """What only the library knows: a start of a driven system before."""
    moving = '"level", energy = { kind = "pulse", base = 0, height = 1, center = 1, width = 1 }'
    with pytest.raises(config.StudyError, match=r"`start\.h` must be constant in time here"):
        parse(QUENCH.replace('"level", energy = 0.0', moving)).build()
