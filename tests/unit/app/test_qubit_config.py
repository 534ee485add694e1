"""Study files of qubits: their initial states and solvers, and what belongs to a cavity."""

import equinox as eqx
import numpy as np
import pytest

import bathax as bx
from bathax.app import config
from bathax.app.config import systems
from bathax.app.config.checking import listed

STATES = "`excited`, `ground`, `bloch` or `density_matrix`"
OF_CAVITY, SOLVERS = (
    listed([one.__struct_config__.tag for one in kind.SOLVERS])
    for kind in (systems.Cavity, systems.Qubit)
)
VECTOR = "three numbers [x, y, z] with x^2 + y^2 + z^2 <= 1"
INITIAL = "excited = true"


@pytest.fixture
def study_with(qubit_study_text, tmp_path):
    """The good study with another initial state, followed by more tables."""

    def parse(initial, tables=""):
        text = qubit_study_text.replace(INITIAL, initial) + tables
        return config.parse(text, tmp_path)

    return parse


@pytest.fixture
def refusal_of(study_with):
    def sentence(*arguments):
        with pytest.raises(config.StudyError) as caught:
            study_with(*arguments)
        return str(caught.value)

    return sentence


def test_a_good_study(study_with):
    study = study_with(INITIAL)
    assert study.system == systems.Qubit(frequency=1.0, initial=systems.QubitInitial(excited=True))
    assert study.solver is None


RHO = np.array([[0.5, 0.5j], [-0.5j, 0.5]])
STATES_BUILT = [
    ("excited = true", bx.Excited),
    ("ground = true", bx.Ground),
    ("bloch = [0.6, 0, -0.8]", lambda: bx.Bloch(0.6, 0.0, -0.8)),
    ('density_matrix = "rho.npy"', lambda: bx.QubitState(RHO)),
]


@pytest.mark.parametrize(("text", "expected"), STATES_BUILT)
def test_built_states(study_with, tmp_path, text, expected):
    np.save(tmp_path / "rho.npy", RHO)
    system, initial, _, solver = study_with(text).build()
    assert eqx.tree_equal(initial, expected())
    bath = bx.Reservoir(bx.Ohmic(0.05, 5.0), temperature=3.0)
    assert eqx.tree_equal(system, bx.Qubit(1.0, bath))
    assert solver is None


SOLVERS_READ = [
    ('kind = "hierarchy"', systems.Hierarchy()),
    (
        'kind = "hierarchy"\nrtol = 1e-6\ndepth = 5\nmodes = 12',
        systems.Hierarchy(rtol=1e-6, depth=5, modes=12),
    ),
    (
        'kind = "hierarchy"\nsteps = 64\nmax_size = 500',
        systems.Hierarchy(steps=64, max_size=500),
    ),
    ('kind = "vacuum"', systems.Vacuum()),
    (
        'kind = "vacuum"\nvolterra = { kind = "volterra", points = 128 }',
        systems.Vacuum(volterra=systems.Volterra(points=128)),
    ),
    (
        'kind = "time_convolutionless"\nrtol = 1e-8\nmax_points = 512',
        systems.TimeConvolutionless(rtol=1e-8, max_points=512),
    ),
    ('kind = "van_hove"', systems.VanHove()),
]


@pytest.mark.parametrize(("text", "expected"), SOLVERS_READ)
def test_solvers(study_with, text, expected):
    assert study_with(INITIAL, f"[solver]\n{text}\n").solver == expected


def test_a_solver_within_a_solver_is_built(study_with):
    text = '[solver]\nkind = "vacuum"\nvolterra = { kind = "volterra", points = 128 }\n'
    assert eqx.tree_equal(study_with(INITIAL, text).build()[3], bx.Vacuum(bx.Volterra(points=128)))


def test_a_solver_is_built_from_the_keys_given(study_with, monkeypatch):
    monkeypatch.setattr(bx, "Hierarchy", lambda **options: options, raising=False)
    study = study_with(INITIAL, '[solver]\nkind = "hierarchy"\ndepth = 5\n')
    assert study.build()[3] == {"depth": 5}


REFUSED = [
    # initial states
    ("fock = 2", "", f"Unknown key `system.initial.fock`; it must be {STATES}."),
    ("exited = true", "", "Unknown key `system.initial.exited`; did you mean `excited`?"),
    ("excited = false", "", "Argument `system.initial.excited` must be true, but is False."),
    ("excited = 1", "", "Argument `system.initial.excited` must be true, but is 1."),
    ("bloch = [0, 1]", "", f"Argument `system.initial.bloch` must be {VECTOR}, but is [0, 1]."),
    (
        "bloch = [0.8, 0, -0.8]",
        "",
        f"Argument `system.initial.bloch` must be {VECTOR}, but is [0.8, 0, -0.8].",
    ),
    (
        "bloch = [0.0, nan, 0.0]",
        "",
        f"Argument `system.initial.bloch` must be {VECTOR}, but is [0.0, nan, 0.0].",
    ),
    (
        'bloch = [0, "up", 0]',
        "",
        f"Argument `system.initial.bloch` must be {VECTOR}, but is [0, 'up', 0].",
    ),
    ("", "", f"Argument `system.initial` must be one of {STATES}, but is empty."),
    (
        "excited = true, ground = true",
        "",
        f"Argument `system.initial` must be one of {STATES}, but is `excited` with `ground`.",
    ),
    # solvers
    (
        INITIAL,
        '[solver]\nkind = "volterra"\n',
        f"Argument `solver.kind` must be {SOLVERS} for a qubit, but is 'volterra'.",
    ),
    (
        INITIAL,
        '[solver]\nkind = "hierarchy"\ndeep = 3\n',
        "Unknown key `solver.deep`; did you mean `depth`?",
    ),
    (
        INITIAL,
        '[solver]\nkind = "hierarchy"\ndepth = 1\n',
        "Argument `solver.depth` must be an integer of at least 2, but is 1.",
    ),
    (
        INITIAL,
        '[solver]\nkind = "vacuum"\nrtol = 1e-6\n',
        "Unknown key `solver.rtol`; it must be `kind` or `volterra`.",
    ),
]


@pytest.mark.parametrize(("initial", "tables", "sentence"), REFUSED)
def test_refusals(refusal_of, initial, tables, sentence):
    assert refusal_of(initial, tables) == sentence


def test_a_matrix_of_another_size_is_refused(study_with, tmp_path):
    np.save(tmp_path / "rho.npy", np.eye(3) / 3.0)
    with pytest.raises(config.StudyError) as caught:
        study_with('density_matrix = "rho.npy"').build()
    rule = "a matrix of shape (2, 2), but is of shape (3, 3)"
    assert str(caught.value) == f"Argument `system.initial.rho` must be {rule}."


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "fock = 2",
            "excited = true",
            "Unknown key `system.initial.excited`; it must be `fock`, `mixture`, `coherent`, "
            "`thermal`, `squeezed`, `angle`, `nbar`, `gaussian`, `density_matrix` or `levels`.",
        ),
        (
            "[time]",
            '[solver]\nkind = "van_hove"\n[time]',
            f"Argument `solver.kind` must be {OF_CAVITY} for a cavity, but is 'van_hove'.",
        ),
    ],
)
def test_what_belongs_to_a_qubit_is_refused_for_a_cavity(study_text, tmp_path, old, new, sentence):
    with pytest.raises(config.StudyError) as caught:
        config.parse(study_text.replace(old, new), tmp_path)
    assert str(caught.value) == sentence
