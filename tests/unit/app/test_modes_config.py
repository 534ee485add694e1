"""Study files of several modes: matrices, lattices, couplings, states, and what is refused."""

from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.app import config
from bathax.app.config import systems
from bathax.app.config.varying import with_values

LEADS = "".join(
    f"""
[[reservoir]]
temperature = 0.1
chemical_potential = {mu}
spectral_density = {{ kind = "flat", gamma = 0.5, low = -5.0, high = 5.0 }}
"""
    for mu in (0.5, -0.5)
)
TIME = """
[time]
stop = 5.0
points = 11
"""
SYSTEMS = {
    "linear": """
[system]
kind = "linear"
h = [[0, [0.3, 0.1]], [[0.3, -0.1], 0.2]]
statistics = "fermion"
initial = { n = [[0.9, [0, 0.1]], [[0, -0.1], 0.5]] }
""",
    "level": """
[system]
kind = "level"
energy = 0.3
initial = { occupations = [0.0] }
""",
    "double_dot": """
[system]
kind = "double_dot"
energies = [0.1, 0.2]
tunnelling = [0.3, 0.1]
flux = 1.0
initial = { occupations = [1, 0] }
""",
    "chain": """
[system]
kind = "chain"
energies = [0.1, 0.2, 0.3]
hopping = 0.4
statistics = "fermion"
initial = { occupations = [0.0, 0.0, 1.0] }
""",
}
COUPLED = LEADS.replace("[[reservoir]]", "[[reservoir]]\ncoupling = [1, [0, 0.5]]")
J = bx.FlatBand(0.5, -5.0, 5.0)
LEFT, RIGHT = (bx.Reservoir(J, 0.1, mu) for mu in (0.5, -0.5))


def study_of(kind, tables=""):
    leads = COUPLED if kind == "linear" else LEADS
    return SYSTEMS[kind] + leads + TIME + tables


def parse(text):
    return config.parse(text, Path())


BUILT = {
    "linear": lambda: bx.LinearSystem(
        [[0.0, 0.3 + 0.1j], [0.3 - 0.1j, 0.2]],
        [bx.Channel(lead, [1.0, 0.5j]) for lead in (LEFT, RIGHT)],
        "fermion",
    ),
    "level": lambda: bx.resonant_level(0.3, [LEFT, RIGHT]),
    "double_dot": lambda: bx.double_dot([0.1, 0.2], 0.3 + 0.1j, LEFT, RIGHT, flux=1.0),
    "chain": lambda: bx.chain([0.1, 0.2, 0.3], 0.4, LEFT, RIGHT, statistics="fermion"),
}


@pytest.mark.parametrize("kind", BUILT)
def test_what_is_built(kind):
    study = parse(study_of(kind))
    assert config.kinds_of(study) == ("modes",)
    assert eqx.tree_equal(study.build()[0], BUILT[kind]())


def test_states():
    n = parse(study_of("linear")).build()[1].n
    np.testing.assert_array_equal(n, [[0.9, 0.1j], [-0.1j, 0.5]])
    n = parse(study_of("chain")).build()[1].n
    np.testing.assert_array_equal(n, np.diag([0.0, 0.0, 1.0]))


def test_cavities_share_a_reservoir_or_have_their_own():
    bath = """
[[reservoir]]
spectral_density = { kind = "ohmic", eta = 0.05, cutoff = 5.0 }
"""
    system = """
[system]
kind = "coupled_cavities"
frequencies = [1.0, 1.2]
coupling = 0.1
initial = { occupations = [1.0, 0.0] }
"""
    reservoir = bx.Reservoir(bx.Ohmic(0.05, 5.0))
    for baths, given in ((bath, reservoir), (2 * bath, [reservoir, reservoir])):
        expected = bx.coupled_cavities([1.0, 1.2], 0.1, given)
        assert eqx.tree_equal(parse(system + baths + TIME).build()[0], expected)


def test_a_coupling_replaces_that_of_the_lattice():
    text = study_of("level").replace("chemical_potential = 0.5", "coupling = [0.5]", 1)
    np.testing.assert_array_equal(parse(text).build()[0].couplings, [[0.5], [1.0]])


def test_solvers():
    study = parse(study_of("level", '[solver]\nkind = "embedding"\nmodes = 12\n'))
    assert study.solver == systems.Embedding(modes=12)
    assert eqx.tree_equal(study.build()[3], bx.Embedding(modes=12))


def test_numbers_of_lists_vary():
    study = parse(study_of("chain"))
    values = {"system.energies.1": jnp.asarray(9.0), "system.hopping": jnp.asarray(0.7)}
    h = with_values(study, values).build()[0].h
    np.testing.assert_allclose(h, [[0.1, 0.7, 0.0], [0.7, 9.0, 0.7], [0.0, 0.7, 0.3]])


def test_axes_of_numbers_in_lists_have_names():
    sweep = """
[sweep]
quantities = ["steady_particle_current_1", "n_0_1", "current_noise"]
[sweep.axes]
"system.h.0.0" = { values = [0.0, 1.0] }
"reservoir.0.coupling.1" = { values = [0.0, 1.0] }
"reservoir.0.chemical_potential" = { values = [0.0, 1.0] }
"""
    study = parse(study_of("linear", sweep))
    names = ["h.0.0", "coupling.1", "0.chemical_potential"]
    assert [*study.sweep.names.values()] == names
    axes, _ = study.sweep.build(study)
    assert axes["h.0.0"][2] == {"long_name": "system.h.0.0", "units": "energy"}


RESERVOIR = 'spectral_density = { kind = "flat", gamma = 0.5, low = -5.0, high = 5.0 }\n'
SWEPT = '[sweep]\nquantities = ["number"]\naxes = { "%s" = { values = [0.0] } }\n'
REFUSED = {
    "rows of other lengths": (
        ("linear", "h = [[0, [0.3, 0.1]], [[0.3, -0.1], 0.2]]", "h = [[0, 1], [1]]"),
        "Argument `system.h` must be 2 rows of 2, but is [[0.0, 1.0], [1.0]].",
    ),
    "no matrix": (
        ("linear", "h = [[0, [0.3, 0.1]], [[0.3, -0.1], 0.2]]", "h = 3"),
        "Argument `system.h` must be a list of rows, each a list of numbers or pairs [re, im], but "
        "is 3.",
    ),
    "a list of numbers": (
        ("linear", "h = [[0, [0.3, 0.1]], [[0.3, -0.1], 0.2]]", "h = [1, 2]"),
        "Argument `system.h.0` must be a row, a list of numbers or pairs [re, im], but is 1.",
    ),
    "a word": (
        ("linear", "0.2]]", '"up"]]'),
        "Argument `system.h.1.1` must be a finite number or a pair [re, im] of them, but is 'up'.",
    ),
    "infinite": (
        ("linear", "0.2]]", "inf]]"),
        "Argument `system.h.1.1` must be a finite number or a pair [re, im] of them, but is inf.",
    ),
    "no coupling": (
        ("linear", "coupling = [1, [0, 0.5]]", ""),
        "Missing key `reservoir.0.coupling`, which must be a list of 2, a number for each mode.",
    ),
    "a coupling of another length": (
        ("linear", "coupling = [1, [0, 0.5]]", "coupling = [1]"),
        "Argument `reservoir.0.coupling` must be a list of 2, a number for each mode, but is "
        "[1.0].",
    ),
    "other statistics": (
        ("linear", '"fermion"', '"anyon"'),
        "Argument `system.statistics` must be `boson` or `fermion`, but is 'anyon'.",
    ),
    "a state of other modes": (
        ("chain", "occupations = [0.0, 0.0, 1.0]", "occupations = [0.0]"),
        "Argument `system.initial.occupations` must be a list of 3, a number for each mode, but is "
        "[0.0].",
    ),
    "a matrix of other modes": (
        ("chain", "occupations = [0.0, 0.0, 1.0]", "n = [[1.0]]"),
        "Argument `system.initial.n` must be 3 rows of 3, but is [[1.0]].",
    ),
    "no state": (
        ("chain", "occupations = [0.0, 0.0, 1.0]", ""),
        "Argument `system.initial` must be one of `n` or `occupations`, but is empty.",
    ),
    "negative occupations": (
        ("chain", "occupations = [0.0, 0.0, 1.0]", "occupations = [0.0, 0.0, -1.0]"),
        "Argument `system.initial.occupations.2` must be a non-negative, finite number, but is "
        "-1.0.",
    ),
    "three leads of a chain": (
        ("chain", "[time]", "[[reservoir]]\n" + RESERVOIR + "[time]"),
        "Argument `reservoir` must be one or two tables, for the ends of the chain, but is 3.",
    ),
    "three dots": (
        ("double_dot", "energies = [0.1, 0.2]", "energies = [0.1, 0.2, 0.3]"),
        "Argument `system.energies` must be two finite numbers, but is [0.1, 0.2, 0.3].",
    ),
    "two ways of filling": (
        ("level", "temperature = 0.1\n", 'occupation = { kind = "uniform", number = 0.5 }\n'),
        "Argument `reservoir.0` must have `chemical_potential` or `occupation`, but has both.",
    ),
    "a solver of a cavity": (
        ("level", "[time]", '[solver]\nkind = "resonance"\n[time]'),
        "Argument `solver.kind` must be `volterra` or `embedding` for several modes, but is "
        "'resonance'.",
    ),
    "a quantity of a cavity": (
        ("level", "[time]", SWEPT.replace("number", "du") % "system.energy" + "[time]"),
        "Argument `sweep.quantities` must be among `u`, `v`, `number`, `energy`, `entropy`, "
        "`energy_rate`, `entropy_rate`, `temperature`, `chemical_potential`, `free_energy`, "
        "`interaction_energy`, `n`, `particle_current`, `energy_current`, `grand_potential`, "
        "`conductance`, `thermopower`, `figure_of_merit`, `current_noise`, `steady_n`, "
        "`steady_number`, `steady_energy`, `steady_entropy`, `steady_particle_current`, "
        "`steady_energy_current` or `bound_weight`, but is 'du'.",
    ),
    "a missing reservoir": (
        ("level", "[time]", SWEPT % "reservoir.2.temperature" + "[time]"),
        "Unknown key `sweep.axes.reservoir.2`; it must be `0` or `1`.",
    ),
    "a missing mode": (
        ("chain", "[time]", SWEPT % "system.energies.3" + "[time]"),
        "Unknown key `sweep.axes.system.energies.3`; it must be `0`, `1` or `2`.",
    ),
    "a number in a list that is left out": (
        ("chain", "[time]", SWEPT % "reservoir.0.coupling.1" + "[time]"),
        "Missing key `reservoir.0.coupling`, which must be given where a number in it varies.",
    ),
    "an axis that is no number": (
        ("linear", "[time]", SWEPT % "system.h.0" + "[time]"),
        "Argument `sweep.axes.system.h.0` must be the path of a number that varies continuously, "
        "but is 'system.h.0'.",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refusals(change, sentence):
    kind, old, new = change
    assert old in study_of(kind)
    with pytest.raises(config.StudyError) as caught:
        parse(study_of(kind).replace(old, new, 1))
    assert str(caught.value) == sentence


def test_a_missing_element_is_refused():
    text = study_of("level", (SWEPT % "system.energy").replace("number", "particle_current_2"))
    with pytest.raises(config.StudyError, match="but is 'particle_current_2'"):
        parse(text)


def test_examples_are_good_studies():
    for path in (Path(__file__).parents[3] / "notebooks").glob("*.toml"):
        assert config.load(path).sweep is not None


LIBRARY = {
    "not Hermitian": (
        ("linear", "[0.3, -0.1]", "[0.3, 0.1]"),
        "Argument `system.h` must be Hermitian, but is ",
    ),
    "bosons above the bottom of a band": (
        ("chain", 'statistics = "fermion"', ""),
        "Argument `reservoir.0.temperature` must be 0 for a spectral density with weight at "
        "w <= mu = 0.5, which has no thermal state, but is 0.1.",
    ),
    "two fermions in a mode": (
        ("level", "occupations = [0.0]", "occupations = [2.0]"),
        "Argument `system.initial` must be a state of at most one fermion in every mode, but is ",
    ),
    "a state without a Hermitian matrix": (
        ("linear", "[0, -0.1]", "[0, 0.1]"),
        "Argument `system.initial.n` must be Hermitian, but is ",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), LIBRARY.values(), ids=LIBRARY)
def test_what_only_the_library_detects(change, sentence):
    kind, old, new = change
    with pytest.raises(config.StudyError) as caught:
        parse(study_of(kind).replace(old, new, 1)).build()
    assert str(caught.value).startswith(sentence)


def test_a_coupling_is_refused_for_a_cavity(study_text, tmp_path):
    text = study_text.replace("[[reservoir]]", "[[reservoir]]\ncoupling = [0.5]")
    with pytest.raises(config.StudyError) as caught:
        config.parse(text, tmp_path)
    sentence = "Argument `reservoir.0.coupling` must be left out for a cavity, but is [0.5]."
    assert str(caught.value) == sentence
