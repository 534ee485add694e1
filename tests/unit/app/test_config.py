"""Study files: what they may say, and the sentence for everything they may not."""

import subprocess
import sys
from typing import get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.app import config
from bathax.app.config import reservoirs, schema, systems, varying
from bathax.app.config.checking import listed
from bathax.app.config.files import File

STATES = (
    "`fock`, `mixture`, `coherent`, `thermal`, `squeezed`, `gaussian` or `density_matrix` "
    "(`angle` may join `squeezed`) (`nbar` may join `squeezed`) "
    "(`levels` may join `density_matrix`)"
)
DENSITIES = listed([one.__struct_config__.tag for one in get_args(reservoirs.SpectralDensity)])


def refusal(text, folder):
    with pytest.raises(config.StudyError) as caught:
        config.parse(text, folder)
    return str(caught.value)


@pytest.fixture
def refusal_of(study_text, tmp_path):
    """The sentence that follows when a part of the good study is replaced."""

    def replace(old, new):
        assert study_text.count(old) == 1
        return refusal(study_text.replace(old, new), tmp_path)

    return replace


@pytest.fixture
def study_with(study_text, tmp_path):
    def replace(old, new):
        assert study_text.count(old) == 1
        return config.parse(study_text.replace(old, new), tmp_path)

    return replace


def test_a_good_study(study_file):
    assert config.load(study_file) == schema.Study(
        system=systems.Cavity(frequency=1.0, initial=systems.CavityInitial(fock=2)),
        reservoir=(reservoirs.Reservoir(reservoirs.Ohmic(eta=0.05, cutoff=5.0), temperature=3.0),),
        time=schema.Time(start=0.0, stop=5.0, points=11),
    )
    assert config.load(study_file).solver is None


def test_checking_imports_neither_jax_nor_numpy(study_file):
    code = (
        f"import sys; from bathax.app import config; config.load({str(study_file)!r});"
        "assert not {'jax', 'numpy', 'matplotlib', 'xarray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


INITIAL = [
    ("coherent = 1.5", systems.CavityInitial(coherent=1.5)),
    ("coherent = [1.5, -2]", systems.CavityInitial(coherent=(1.5, -2.0))),
    ("thermal = 2.0", systems.CavityInitial(thermal=2.0)),
    ("squeezed = 0.5", systems.CavityInitial(squeezed=0.5)),
    ("squeezed = 0.5, angle = 1.0", systems.CavityInitial(squeezed=0.5, angle=1.0)),
]


@pytest.mark.parametrize(("text", "expected"), INITIAL)
def test_initial_states(study_with, text, expected):
    assert study_with("fock = 2", text).system.initial == expected


def test_a_file_is_found_from_the_study(study_with, tmp_path):
    (tmp_path / "rho.npy").write_bytes(b"some")
    initial = study_with("fock = 2", 'density_matrix = "rho.npy"').system.initial
    assert initial == systems.CavityInitial(density_matrix=File(tmp_path / "rho.npy", b"some"))


SPECTRAL_DENSITIES = [
    (
        'kind = "ohmic", eta = 0.1, cutoff = 5, exponent = 0.5',
        reservoirs.Ohmic(eta=0.1, cutoff=5.0, exponent=0.5),
    ),
    (
        'kind = "lorentzian", gamma0 = 0.2, width = 1.0, center = -1.0',
        reservoirs.Lorentzian(gamma0=0.2, width=1.0, center=-1.0),
    ),
    ('kind = "drude_lorentz", eta = 0.1, cutoff = 5', reservoirs.DrudeLorentz(eta=0.1, cutoff=5.0)),
    (
        'kind = "semicircle", eta = 0.1, center = 1.0, half_width = 0.5',
        reservoirs.SemicircleBand(eta=0.1, center=1.0, half_width=0.5),
    ),
    (
        'kind = "flat", gamma = 0.1, low = 0.5, high = 2.0',
        reservoirs.FlatBand(gamma=0.1, low=0.5, high=2.0),
    ),
    (
        'kind = "band_edge", eta = 0.1, edge = 0.9, cutoff = 2.0',
        reservoirs.BandEdge(eta=0.1, edge=0.9, cutoff=2.0),
    ),
    (
        'kind = "discrete", frequencies = [1, 1.2], couplings = [0.1, -0.2]',
        reservoirs.DiscreteModes(frequencies=(1.0, 1.2), couplings=(0.1, -0.2)),
    ),
]
OHMIC = 'kind = "ohmic", eta = 0.05, cutoff = 5.0'


@pytest.mark.parametrize(("text", "expected"), SPECTRAL_DENSITIES)
def test_spectral_densities(study_with, text, expected):
    assert study_with(OHMIC, text).reservoir[0].spectral_density == expected


def test_several_reservoirs(study_text, tmp_path):
    text = study_text + "[[reservoir]]\nspectral_density = { " + OHMIC + " }\n"
    study = config.parse(text, tmp_path)
    assert [reservoir.temperature for reservoir in study.reservoir] == [3.0, None]
    assert [float(bath.temperature) for bath in study.build()[0].reservoirs] == [3.0, 0.0]


def test_solvers(study_text, tmp_path):
    volterra = '[solver]\nkind = "volterra"\nrtol = 1e-8\npoints = 64\nmax_points = 128\n'
    study = config.parse(study_text + volterra, tmp_path)
    assert study.solver == systems.Volterra(rtol=1e-8, points=64, max_points=128)
    study = config.parse(study_text + '[solver]\nkind = "born_markov"\n', tmp_path)
    assert study.solver == systems.BornMarkov()


# --- What bathax is given ---------------------------------------------------------------------

BUILT_DENSITIES = [
    ('kind = "ohmic", eta = 0.1, cutoff = 5, exponent = 0.5', lambda: bx.Ohmic(0.1, 5.0, 0.5)),
    (OHMIC, lambda: bx.Ohmic(0.05, 5.0)),
    (
        'kind = "drude_lorentz", eta = 0.1, cutoff = 5',
        lambda: bx.DrudeLorentz(0.1, 5.0),
    ),
    (
        'kind = "semicircle", eta = 0.1, center = 1.0, half_width = 0.5',
        lambda: bx.SemicircleBand(0.1, 1.0, 0.5),
    ),
    (
        'kind = "flat", gamma = 0.1, low = 0.5, high = 2.0',
        lambda: bx.FlatBand(0.1, 0.5, 2.0),
    ),
    ('kind = "band_edge", eta = 0.1, edge = 0.9, cutoff = 2.0', lambda: bx.BandEdge(0.1, 0.9, 2.0)),
    (
        'kind = "tabulated", file = "j.csv"',
        lambda: bx.Tabulated(np.array([1.0, 2.0, 4.0]), np.array([0.0, 0.5, 0.0])),
    ),
    (
        'kind = "discrete", frequencies = [1, 1.2], couplings = [0.1, -0.2]',
        lambda: bx.DiscreteModes([1.0, 1.2], [0.1, -0.2]),
    ),
    (
        f'kind = "sum", terms = [{{ {OHMIC} }}, {{ kind = "scaled", factor = 2, density = {{ '
        f'kind = "tabulated", file = "j.csv" }} }}]',
        lambda: bx.Ohmic(0.05, 5.0) + 2.0 * bx.Tabulated([1.0, 2.0, 4.0], [0.0, 0.5, 0.0]),
    ),
]


def assert_same(one, other):
    assert eqx.tree_equal(one, other), f"{one} is not {other}"


@pytest.mark.parametrize(("text", "expected"), BUILT_DENSITIES)
def test_built_systems(study_with, tmp_path, text, expected):
    (tmp_path / "j.csv").write_text("error,w,J\n0,1,0\n0,2,0.5\n0,4,0\n")
    system, _, times, solver = study_with(OHMIC, text).build()
    assert_same(system, bx.Cavity(1.0, bx.Reservoir(expected(), temperature=3.0)))
    assert solver is None
    np.testing.assert_array_equal(times, np.linspace(0.0, 5.0, 11))


OCCUPATIONS = [
    ('kind = "uniform", number = 0.5', lambda: bx.Uniform(0.5)),
    ('kind = "bose_einstein", temperature = 2.0', lambda: bx.BoseEinstein(2.0)),
]


@pytest.mark.parametrize(("text", "expected"), OCCUPATIONS)
def test_built_occupations(study_with, text, expected):
    system, *_ = study_with("temperature = 3.0", f"occupation = {{ {text} }}").build()
    assert_same(system.reservoirs[0].occupation, expected())


def test_built_lorentzian(study_with):
    text = 'temperature = 0\nspectral_density = { kind = "lorentzian", gamma0 = 0.1, width = 0.2'
    whole = "temperature = 3.0\nspectral_density = { " + OHMIC
    system, *_ = study_with(whole, text + ", center = 1.5").build()
    assert_same(system, bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(0.1, 0.2, 1.5))))


RHO = np.array([[0.5, 0.5j], [-0.5j, 0.5]])
BUILT_STATES = [
    ("fock = 3", lambda: bx.Fock(3)),
    ("coherent = 1.5", lambda: bx.Coherent(1.5)),
    ("coherent = [1.5, -2]", lambda: bx.Coherent(1.5 - 2.0j)),
    ("thermal = 2", lambda: bx.Thermal(2.0)),
    ("squeezed = 0.5", lambda: bx.Squeezed(0.5)),
    ("squeezed = 0.5, angle = 1.0", lambda: bx.Squeezed(0.5, 1.0)),
    ("squeezed = 0.5, nbar = 2.0", lambda: bx.Squeezed(0.5, nbar=2.0)),
    ("mixture = [0.25, 0, 0.75]", lambda: bx.Mixture([0.25, 0.0, 0.75])),
    ("gaussian = { displacement = [1, 2], excess = 1 }", lambda: bx.Gaussian(1.0 + 2.0j, 1.0)),
    (
        "gaussian = { displacement = 0, excess = 1, anomalous = [0.5, 0.5] }",
        lambda: bx.Gaussian(0.0, 1.0, 0.5 + 0.5j),
    ),
    ('density_matrix = "rho.npy"', lambda: bx.DensityMatrix(RHO)),
    ('density_matrix = "rho.npy", levels = 32', lambda: bx.DensityMatrix(RHO, 32)),
]


@pytest.mark.parametrize(("text", "expected"), BUILT_STATES)
def test_built_states(study_with, tmp_path, text, expected):
    np.save(tmp_path / "rho.npy", RHO)
    assert_same(study_with("fock = 2", text).build()[1], expected())


VARYING = [
    ("fock = 2", "coherent = 1.0", "system.initial.coherent"),
    ("fock = 2", "squeezed = 0.5, nbar = 0.1", "system.initial.nbar"),
    (
        "fock = 2",
        "gaussian = { displacement = 1, excess = 1 }",
        "system.initial.gaussian.displacement",
    ),
    (
        "temperature = 3.0",
        'occupation = { kind = "uniform", number = 1 }',
        "reservoir.0.occupation.number",
    ),
    (
        OHMIC,
        f'kind = "scaled", factor = 2, density = {{ {OHMIC} }}',
        "reservoir.0.spectral_density.factor",
    ),
    (OHMIC, f'kind = "sum", terms = [{{ {OHMIC} }}]', "reservoir.0.spectral_density.terms.0.eta"),
]


@pytest.mark.parametrize(("old", "new", "path"), VARYING)
def test_numbers_that_vary(study_with, old, new, path):
    """Traced numbers reach the system and the state as what they are."""
    study = study_with(old, new)

    def built(value):
        there = varying.with_values(study, {path: value}).build()
        return eqx.filter(there[:2], eqx.is_array)

    slope = eqx.filter_jvp(built, (jnp.asarray(1.5),), (jnp.asarray(1.0),))[1]
    assert any(np.any(leaf) for leaf in jax.tree.leaves(slope))
    schema.check_relations(varying.with_values(study, {path: 1.5}))


def test_built_solvers(study_text, tmp_path):
    settings = '[solver]\nkind = "volterra"\nrtol = 1e-8\npoints = 512\nmax_points = 1024\n'
    solver = config.parse(study_text + settings, tmp_path).build()[3]
    assert_same(solver, bx.Volterra(rtol=1e-8, points=512, max_points=1024))
    solver = config.parse(study_text + '[solver]\nkind = "born_markov"\n', tmp_path).build()[3]
    assert_same(solver, bx.BornMarkov())


# --- What is refused --------------------------------------------------------------------------

# What is replaced in the good study, by what, and the sentence that follows.
KINDS = "`cavity`, `qubit`, `linear`, `level`, `double_dot`, `chain` or `coupled_cavities`"
REFUSED = [
    # unknown keys
    (
        "frequency = 1.0",
        "frequncy = 1.0",
        "Unknown key `system.frequncy`; did you mean `frequency`?",
    ),
    ("[time]", "[tme]", "Unknown key `tme`; did you mean `time`?"),
    (
        "[time]",
        "[zzz]",
        "Unknown key `zzz`; it must be `system`, `reservoir`, `time`, `start`, `solver`, "
        "`sweep` or `fit`.",
    ),
    (
        "temperature = 3.0",
        "temprature = 3.0",
        "Unknown key `reservoir.0.temprature`; did you mean `temperature`?",
    ),
    (
        "cutoff = 5.0",
        "cutof = 5.0",
        "Unknown key `reservoir.0.spectral_density.cutof`; did you mean `cutoff`?",
    ),
    (
        'kind = "cavity"',
        'knd = "cavity"',
        f"Missing key `system.kind`, which must be {KINDS}.",
    ),
    ("fock = 2", "fok = 2", "Unknown key `system.initial.fok`; did you mean `fock`?"),
    # missing keys
    (
        "frequency = 1.0\n",
        "",
        "Missing key `system.frequency`, which must be a positive, finite number.",
    ),
    (
        "eta = 0.05, ",
        "",
        "Missing key `reservoir.0.spectral_density.eta`, "
        "which must be a non-negative, finite number.",
    ),
    (
        'kind = "ohmic", ',
        "",
        f"Missing key `reservoir.0.spectral_density.kind`, which must be {DENSITIES}.",
    ),
    ("points = 11\n", "", "Missing key `time.points`, which must be an integer of at least 2."),
    ("initial = { fock = 2 }", "", "Missing key `system.initial`, which must be a table."),
    # wrong types
    (
        "frequency = 1.0",
        'frequency = "fast"',
        "Argument `system.frequency` must be a positive, finite number, but is 'fast'.",
    ),
    (
        "frequency = 1.0",
        "frequency = true",
        "Argument `system.frequency` must be a positive, finite number, but is True.",
    ),
    (
        "initial = { fock = 2 }",
        "initial = 2",
        "Argument `system.initial` must be a table, but is 2.",
    ),
    (
        "temperature = 3.0",
        "temperature = { mean = 3.0 }",
        "Argument `reservoir.0.temperature` must be a non-negative, finite number, but is a table.",
    ),
    (
        "[[reservoir]]",
        "[reservoir]",
        "Argument `reservoir` must be one or more [[reservoir]] tables, but is a table.",
    ),
    (
        'kind = "cavity"',
        'kind = ["cavity"]',
        f"Argument `system.kind` must be {KINDS}, but is ['cavity'].",
    ),
    # numbers out of range
    (
        "frequency = 1.0",
        "frequency = -1.0",
        "Argument `system.frequency` must be a positive, finite number, but is -1.0.",
    ),
    (
        "frequency = 1.0",
        "frequency = 0",
        "Argument `system.frequency` must be a positive, finite number, but is 0.",
    ),
    (
        "frequency = 1.0",
        "frequency = nan",
        "Argument `system.frequency` must be a positive, finite number, but is nan.",
    ),
    (
        "frequency = 1.0",
        "frequency = inf",
        "Argument `system.frequency` must be a positive, finite number, but is inf.",
    ),
    (
        "temperature = 3.0",
        "temperature = -3.0",
        "Argument `reservoir.0.temperature` must be a non-negative, finite number, but is -3.0.",
    ),
    (
        "temperature = 3.0",
        "temperature = nan",
        "Argument `reservoir.0.temperature` must be a non-negative, finite number, but is nan.",
    ),
    (
        "eta = 0.05",
        "eta = -0.1",
        "Argument `reservoir.0.spectral_density.eta` must be a non-negative, finite number, "
        "but is -0.1.",
    ),
    (
        "cutoff = 5.0",
        "cutoff = 0.0",
        "Argument `reservoir.0.spectral_density.cutoff` must be a positive, finite number, "
        "but is 0.0.",
    ),
    (
        "points = 11",
        "points = 1",
        "Argument `time.points` must be an integer of at least 2, but is 1.",
    ),
    (
        "points = 11",
        "points = 11.5",
        "Argument `time.points` must be an integer of at least 2, but is 11.5.",
    ),
    (
        "stop = 5.0",
        "stop = 5.0\nstart = -1.0",
        "Argument `time.start` must be a non-negative, finite number, but is -1.0.",
    ),
    (
        "stop = 5.0",
        "stop = 5.0\nstart = 5.0",
        "Argument `time.stop` must be greater than `time.start` = 5.0, but is 5.0.",
    ),
    (
        "stop = 5.0",
        "stop = 0.0",
        "Argument `time.stop` must be a positive, finite number, but is 0.0.",
    ),
    # initial states
    (
        "fock = 2",
        "fock = -2",
        "Argument `system.initial.fock` must be a non-negative integer, but is -2.",
    ),
    (
        "fock = 2",
        "fock = 2.5",
        "Argument `system.initial.fock` must be a non-negative integer, but is 2.5.",
    ),
    (
        "fock = 2",
        "thermal = -1.0",
        "Argument `system.initial.thermal` must be a non-negative, finite number, but is -1.0.",
    ),
    (
        "fock = 2",
        "coherent = [1.0, nan]",
        "Argument `system.initial.coherent` must be a finite number or a pair [re, im] of them, "
        "but is [1.0, nan].",
    ),
    (
        "fock = 2",
        "coherent = [1.0]",
        "Argument `system.initial.coherent` must be a finite number or a pair [re, im] of them, "
        "but is [1.0].",
    ),
    (
        "fock = 2",
        'density_matrix = "rho.npy"',
        "Argument `system.initial.density_matrix` must be the path of an existing file, "
        "but is 'rho.npy'.",
    ),
    (
        "fock = 2",
        "density_matrix = 3",
        "Argument `system.initial.density_matrix` must be the path of an existing file, but is 3.",
    ),
    (
        "fock = 2",
        "",
        f"Argument `system.initial` must be one of {STATES}, but is empty.",
    ),
    (
        "fock = 2",
        "fock = 2, thermal = 1.0",
        f"Argument `system.initial` must be one of {STATES}, but is `fock` with `thermal`.",
    ),
    (
        "fock = 2",
        "fock = 2, angle = 1.0",
        f"Argument `system.initial` must be one of {STATES}, but is `fock` with `angle`.",
    ),
    (
        "fock = 2",
        "fock = 2, levels = 32",
        f"Argument `system.initial` must be one of {STATES}, but is `fock` with `levels`.",
    ),
    (
        "fock = 2",
        "fock = 20000000",
        "Argument `system.initial.fock` must be at most 10,000,000, but is 20000000.",
    ),
    (
        "points = 11",
        "points = 1_000_000_000_000",
        "Argument `time.points` must be at most 10,000,000, but is 1000000000000.",
    ),
    # reservoirs
    (
        "temperature = 3.0",
        'temperature = 3.0\noccupation = { kind = "uniform", number = 1.0 }',
        "Argument `reservoir.0` must have `temperature` or `occupation`, but has both.",
    ),
    (
        OHMIC,
        f'kind = "sum", terms = [{{ {OHMIC} }}, {{ kind = "ohmic", eta = -1, cutoff = 1 }}]',
        "Argument `reservoir.0.spectral_density.terms.1.eta` must be a non-negative, finite "
        "number, but is -1.",
    ),
    (
        OHMIC,
        'kind = "sum", terms = []',
        "Argument `reservoir.0.spectral_density.terms` must be a list of one or more tables, but "
        "is [].",
    ),
    # kinds
    (
        'kind = "cavity"',
        'kind = "qutrit"',
        f"Argument `system.kind` must be {KINDS}, but is 'qutrit'.",
    ),
    (
        'kind = "ohmic"',
        'kind = "omic"',
        f"Argument `reservoir.0.spectral_density.kind` must be {DENSITIES}, but is 'omic'.",
    ),
    # syntax
    (
        "frequency = 1.0",
        "frequency =",
        "The study is not valid TOML: Invalid value (at line 3, column 12).",
    ),
]


DISCRETE = 'kind = "discrete", frequencies = {}, couplings = {}'
REFUSED_MODES = [
    ("[]", "[]", "frequencies` must be one or more finite numbers, but is []."),
    ("1.0", "[1.0]", "frequencies` must be one or more finite numbers, but is 1.0."),
    ("[1.0]", "[nan]", "couplings.0` must be a finite number, but is nan."),
]


@pytest.mark.parametrize(("frequencies", "couplings", "words"), REFUSED_MODES)
def test_refused_modes(refusal_of, frequencies, couplings, words):
    sentence = refusal_of(OHMIC, DISCRETE.format(frequencies, couplings))
    assert sentence == f"Argument `reservoir.0.spectral_density.{words}"


def test_modes_without_a_coupling(study_with):
    with pytest.raises(config.StudyError) as caught:
        study_with(OHMIC, DISCRETE.format("[1.0, 2.0]", "[1.0]")).build()
    path = "reservoir.0.spectral_density"
    words = "as long as `frequencies`, but is (1,) long."
    assert str(caught.value) == f"Argument `{path}.couplings` must be {words}"


def test_what_the_library_refuses_of_a_part_is_named(study_with):
    modes = '{ kind = "discrete", frequencies = [1.0, 2.0], couplings = [1.0] }'
    scaled = f'{{ kind = "scaled", factor = 2.0, density = {modes} }}'
    with pytest.raises(config.StudyError) as caught:
        study_with(OHMIC, f'kind = "sum", terms = [{{ {OHMIC} }}, {scaled}]').build()
    path = "reservoir.0.spectral_density.terms.1.density.couplings"
    assert str(caught.value).startswith(f"Argument `{path}` must be as long as `frequencies`, ")


@pytest.mark.parametrize(("old", "new", "sentence"), REFUSED)
def test_refusals(refusal_of, old, new, sentence):
    assert refusal_of(old, new) == sentence


def test_no_reservoir(study_text, tmp_path):
    start, end = study_text.index("[[reservoir]]"), study_text.index("[time]")
    text = study_text[:start] + study_text[end:]
    words = "one or more [[reservoir]] tables"
    assert refusal(text, tmp_path) == f"Missing key `reservoir`, which must be {words}."
    sentence = f"Argument `reservoir` must be {words}, but is []."
    assert refusal("reservoir = []\n" + text, tmp_path) == sentence


def test_the_second_reservoir_is_named(study_text, tmp_path):
    text = study_text + "[[reservoir]]\ntemperature = 1.0\n"
    sentence = "Missing key `reservoir.1.spectral_density`, which must be a table."
    assert refusal(text, tmp_path) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("rtol = 0.0", "Argument `solver.rtol` must be a positive, finite number, but is 0.0."),
        ("points = 1", "Argument `solver.points` must be an integer of at least 2, but is 1."),
        ("rtoll = 1.0", "Unknown key `solver.rtoll`; did you mean `rtol`?"),
    ],
)
def test_solver_refusals(study_text, tmp_path, line, sentence):
    text = f'{study_text}[solver]\nkind = "volterra"\n{line}\n'
    assert refusal(text, tmp_path) == sentence


def test_an_option_of_the_other_solver_is_unknown(study_text, tmp_path):
    text = study_text + '[solver]\nkind = "born_markov"\nrtol = 1e-8\n'
    assert refusal(text, tmp_path) == "Unknown key `solver.rtol`; it must be `kind`."


def test_unreadable_files(tmp_path):
    missing, folder, binary = tmp_path / "missing.toml", tmp_path, tmp_path / "binary.toml"
    binary.write_bytes(b"a\x00\x81")
    sentences = {
        missing: f"Study file `{missing}` does not exist.",
        folder: f"Study file `{folder}` cannot be read: Is a directory.",
        binary: f"Study file `{binary}` is not text; it should be saved as UTF-8.",
    }
    for path, sentence in sentences.items():
        with pytest.raises(config.StudyError) as caught:
            config.load(path)
        assert str(caught.value) == sentence


# --- Files ------------------------------------------------------------------------------------

RHO_FILE = 'density_matrix = "rho.npy"'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_the_text_of_a_study_as_editors_save_it(study_text, tmp_path, encoding):
    path = tmp_path / "study.toml"
    text = "# \u00e0 20 \u00b5K\n" + study_text
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert config.read(path) == text
    assert config.load(path) == config.parse(study_text, tmp_path)


@pytest.mark.parametrize("written", ["'data\\rho.npy'", '"data\\\\rho.npy"', '"data/rho.npy"'])
def test_a_path_of_windows(study_with, tmp_path, written):
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "rho.npy", RHO)
    initial = study_with("fock = 2", f"density_matrix = {written}").system.initial
    np.testing.assert_array_equal(initial.density_matrix.matrix(), RHO)


@pytest.mark.parametrize(
    ("path", "begin"),
    [
        (
            r"data\rho.npy",
            "Argument `system.initial.density_matrix` must be the path of an existing ",
        ),
        (r"C:\data\rho.npy", "The study is not valid TOML: Unescaped '\\' in a string (at line 4"),
        (r"C:\users\rho.npy", "The study is not valid TOML: "),
    ],
)
def test_backslashes_in_double_quotes(refusal_of, path, begin):
    sentence = refusal_of("fock = 2", f'density_matrix = "{path}"')
    assert sentence.startswith(begin)
    assert "a path with backslashes goes into single quotes, like 'C:\\data\\j.csv'" in sentence


def test_a_study_stays_the_same_when_its_file_changes(study_text, study_with, tmp_path):
    np.save(tmp_path / "rho.npy", RHO)
    study = study_with("fock = 2", RHO_FILE)
    before = config.definition(study_text, study)
    np.save(tmp_path / "rho.npy", np.eye(2) / 2.0)
    assert_same(study.build()[1], bx.DensityMatrix(RHO))
    assert config.definition(study_text, study) == before
    after = config.definition(study_text, study_with("fock = 2", RHO_FILE))
    assert after != before
    assert [*after["files"]] == ["system.initial.density_matrix"]


def test_digests_of_all_files(study_text, tmp_path):
    (tmp_path / "j.csv").write_text("w,J\n1,0\n2,1\n3,0\n")
    table = '[[reservoir]]\nspectral_density = { kind = "tabulated", file = "j.csv" }\n'
    study = config.parse(study_text + 2 * table, tmp_path)
    # As printed by `sha256sum j.csv`.
    digest = "j.csv, SHA-256 63c84d792b39f80526fe048c0bc933660835f6a566d0ed3c90c3c9c831a997b8"
    assert config.digests(study) == {f"reservoir.{k}.spectral_density.file": digest for k in (1, 2)}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"w,J\n1,2\n"])
def test_what_is_no_matrix(tmp_path, content):
    with pytest.raises(config.StudyError, match="must hold one array of numbers saved by"):
        File(tmp_path / "rho.npy", content).matrix()
