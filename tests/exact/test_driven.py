"""Driven systems against references, discretised leads, closed forms and static solvers."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bathax as bx

REFERENCES = {
    case["name"]: case["values"] | {"times": case["times"]}
    for case in json.loads(Path(__file__).with_name("driven_reference.json").read_text())[
        "references"
    ]
}
DRIVES = {
    "sinusoid": lambda t: 1.0 + 0.3 * jnp.sin(1.2 * t),
    "ramp": lambda t: 1.5 + 0.5 * jnp.tanh(2.0 * (t - 4.0)),
}
TS = jnp.linspace(0.0, 6.0, 7)
OHMIC = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
LEAD = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), temperature=0.1, chemical_potential=0.3)


def numbers(value):
    if isinstance(value, dict):
        value = np.asarray(value["re"]) + 1j * np.asarray(value["im"])
    return np.asarray(value).ravel()


@pytest.mark.slow
@pytest.mark.parametrize("name", DRIVES)
def test_reference(name):
    expected = REFERENCES[f"driven mode, Ohmic bath: {name}"]
    cavity = bx.Cavity(DRIVES[name], OHMIC)
    sol = bx.solve(cavity, bx.Thermal(0.5), expected["times"])
    assert sol.status == 0
    for key, quantity in (("n", "number"), ("H_int", "interaction_energy"), ("work", "work")):
        miss = np.abs(np.asarray(getattr(sol, quantity)) - numbers(expected[key]))
        assert miss.max() < 1e-12
    gained = np.asarray(sol.energy_gain[:, 0])
    np.testing.assert_allclose(gained, numbers(expected["energy_gained_by_bath"]), atol=1e-11)
    assert np.abs(sol.first_law).max() < 1e-11
    assert sol.entropy_production.min() > -1e-12


@pytest.mark.slow
def test_a_constant_drive_of_a_cavity():
    """All quantities, of a state that is not Gaussian."""
    still = bx.solve(bx.Cavity(1.0, OHMIC), bx.Fock(2), TS, bx.Volterra())
    moved = bx.solve(bx.Cavity(lambda t: 1.0 + 0.0 * t, OHMIC), bx.Fock(2), TS)
    for name in vars(still.error):
        expected = np.asarray(getattr(still, name))
        found = np.asarray(getattr(moved, name))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10, err_msg=name)
    np.testing.assert_allclose(moved.work, 0.0, atol=1e-15)
    np.testing.assert_allclose(moved.populations, still.populations, atol=1e-10)


@pytest.mark.slow
def test_a_constant_drive_of_modes():
    h = jnp.array([[0.3, 0.2 + 0.1j], [0.2 - 0.1j, -0.1]])
    leads = [bx.Channel(LEAD, [1.0, 0.5j]), bx.Channel(LEAD, [0.3, 1.0])]
    start = bx.Covariance([[0.6, 0.1j], [-0.1j, 0.2]])
    still = bx.solve(bx.LinearSystem(h, leads, "fermion"), start, TS)
    moved = bx.solve(
        bx.LinearSystem(lambda t: h + 0.0 * t.astype(complex), leads, "fermion"), start, TS
    )
    for name in vars(still.error):
        np.testing.assert_allclose(
            getattr(moved, name), getattr(still, name), rtol=1e-9, atol=1e-10, err_msg=name
        )


# --- discretised lead ----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_driven_level_with_a_discretised_lead():
    """Level and coupling both change; n, work and the energy of the lead from all its modes."""
    level, switch = (lambda t: 0.4 * jnp.cos(2.0 * t)), (lambda t: 1.0 - jnp.exp(-(t**2)))
    dot = bx.LinearSystem(lambda t: [[level(t)]], bx.Channel(LEAD, [1.0], switch=switch), "fermion")
    sol = bx.solve(dot, bx.Covariance([[0.8]]), TS)
    assert sol.status == 0
    x, weights = np.polynomial.legendre.leggauss(60)
    w = np.concatenate([0.5 * (a + b) + 0.5 * (b - a) * x for a, b in ((-5.0, 0.3), (0.3, 5.0))])
    lengths = np.concatenate([0.5 * (b - a) * weights for a, b in ((-5.0, 0.3), (0.3, 5.0))])
    strength = np.sqrt(0.5 / (2.0 * np.pi) * lengths)
    filled = 1.0 / (np.exp((w - 0.3) / 0.1) + 1.0)

    def rate(t, flat):
        """One column for each mode that may be filled at the start, and the work done."""
        amplitudes = flat[:-1].reshape(len(w) + 1, -1)
        s, ds = 1.0 - np.exp(-(t**2)), 2.0 * t * np.exp(-(t**2))
        own = 0.4 * np.cos(2.0 * t) * amplitudes[0] + s * (strength @ amplitudes[1:])
        others = w[:, None] * amplitudes[1:] + s * strength[:, None] * amplitudes[0]
        occupied = np.concatenate([[0.8], filled])
        number = (np.abs(amplitudes[0]) ** 2) @ occupied
        contact = ((strength @ amplitudes[1:]) * amplitudes[0].conj()) @ occupied
        power = -0.8 * np.sin(2.0 * t) * number + 2.0 * ds * contact.real
        return np.concatenate([-1j * np.vstack([own[None], others]).ravel(), [power]])

    start = np.concatenate([np.eye(len(w) + 1).ravel(), [0.0]]).astype(complex)
    found = solve_ivp(
        rate, (0.0, 6.0), start, "DOP853", TS, rtol=1e-11, atol=1e-13, max_step=0.02
    ).y
    amplitudes = found[:-1].reshape(len(w) + 1, len(w) + 1, -1)
    occupied = np.concatenate([[0.8], filled])
    number = np.einsum("kt,k->t", np.abs(amplitudes[0]) ** 2, occupied)
    np.testing.assert_allclose(sol.number, number, atol=1e-9)
    np.testing.assert_allclose(sol.work, found[-1].real, atol=1e-9)
    in_lead = np.einsum("q,qkt,k->t", w, np.abs(amplitudes[1:]) ** 2, occupied)
    np.testing.assert_allclose(sol.energy_gain[:, 0], in_lead - w @ filled, atol=1e-8)
    assert np.abs(sol.first_law).max() < 1e-10


@pytest.mark.slow
def test_a_driven_level_in_a_lead_of_slow_tails():
    """Modes of all rates: few steps suffice, for slower ones respond as those beyond them do.

    A mode for the Lorentzian and the level follow what each frequency of the lead sends in.
    """
    gamma, width, temperature = 0.2, 1.0, 0.1
    lead = bx.Reservoir(bx.Lorentzian(gamma, width, 0.5), temperature, 0.3)
    dot = bx.LinearSystem([[bx.Sinusoid(0.4, 0.5, 1.5)]], bx.Channel(lead, [1.0]), "fermion")
    sol = bx.solve(dot, bx.Covariance([[0.0]]), TS, bx.Embedding(rtol=1e-4, points=512))
    assert sol.status == 0
    ends = np.unique(np.r_[0.3 + 0.1 * np.r_[-4.0:4.0:9j], np.linspace(-200.0, 200.0, 301)])
    x, weights = np.polynomial.legendre.leggauss(16)
    half = 0.5 * np.diff(ends)[:, None]
    w = (ends[:-1, None] + half * (1.0 + x)).ravel()
    density = gamma * width**2 / (2.0 * np.pi) / ((w - 0.5) ** 2 + width**2)
    entered = density * 0.5 * (1.0 - np.tanh(0.5 * (w - 0.3) / temperature))

    def rate(t, flat):
        own, mode = flat.reshape(2, -1)
        g = np.sqrt(0.5 * gamma * width)
        level = 0.4 + 0.5 * np.sin(1.5 * t)
        slopes = (level - w) * own + g * mode + 1.0, (0.5 - 1j * width - w) * mode + g * own
        return -1j * np.concatenate(slopes)

    start = np.zeros(2 * w.size, complex)
    found = solve_ivp(rate, (0.0, 6.0), start, "DOP853", TS, rtol=1e-10, atol=1e-12).y
    number = np.abs(found[: w.size]).T ** 2 @ (entered * (half * weights).ravel())
    np.testing.assert_allclose(sol.number, number, atol=1e-7)
    assert np.all(np.abs(sol.number - number) <= 10.0 * sol.error.number + 1e-9)


# --- correlated starts ---------------------------------------------------------------------------

SEMICIRCLE = bx.Reservoir(bx.SemicircleBand(0.3, 0.0, 2.0), 0.05, 0.2)
STARTS = {
    "boson Ohmic T=1": (OHMIC, "boson", 1.0, 1.5),
    "fermion semicircle T=.05": (SEMICIRCLE, "fermion", 0.5, -0.3),
}


def level(energy, bath, statistics="fermion"):
    return bx.LinearSystem([[energy]], bx.Channel(bath, [1.0]), statistics)


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTS)
def test_a_quench_from_equilibrium(name):
    bath, statistics, *energies = STARTS[name]
    before, after = (level(energy, bath, statistics) for energy in energies)
    expected = REFERENCES[f"correlated quench, {name}"]
    sol = bx.solve(after, bx.Equilibrium(before), expected["times"])
    assert sol.status == 0
    names = {"n": "n", "dN_dt": "particle_current", "dE_dt": "energy_current"}
    for key, quantity in (names | {"H_int": "interaction_energy"}).items():
        found = np.asarray(getattr(sol, quantity)).ravel()
        np.testing.assert_allclose(found, numbers(expected[key]), atol=5e-12)
    assert np.abs(sol.first_law).max() < 1e-11


@pytest.mark.slow
@pytest.mark.parametrize(
    ("J", "energy", "temperature"),
    [(bx.SemicircleBand(0.2, 0.0, 1.0), 1.3, 0.0), (bx.SemicircleBand(0.2, 0.0, 1.0), 0.9, 0.2)],
    ids=["bound, T = 0", "at the edge"],
)
def test_nothing_moves_without_a_quench(J, energy, temperature):
    """n is that of steady states and bound states, which share no step with the damped modes."""
    dot = level(energy, bx.Reservoir(J, temperature, 0.3))
    solver = bx.Embedding(points=1024, modes=48)
    sol = bx.solve(dot, bx.Equilibrium(dot), jnp.linspace(0.0, 40.0, 9), solver)
    for quantity in (sol.number, sol.interaction_energy[:, 0], sol.energy_gain[:, 0]):
        np.testing.assert_allclose(quantity, quantity[0], atol=1e-10)
    found = bx.bound_states(dot)
    filled = dot.reservoirs[0].occupation(found.placed)
    expected = bx.steady_state(dot).number
    expected += jnp.sum(jnp.where(found.exist, filled * found.residues[:, 0, 0].real, 0.0))
    np.testing.assert_allclose(sol.number[0], expected, atol=1e-10)


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "J",
    [bx.SemicircleBand(0.1, 0.0, 1.0), bx.FlatBand(0.4, -1.0, 1.0), bx.Ohmic(0.05, 0.3)],
    ids=lambda J: type(J).__name__,
)
def test_a_level_that_sweeps_through_a_band(J):
    r"""Demkov-Osherov: |u|^2 tends to exp(-2 pi \int J / v); corrections fall like 1/t."""
    bath, speed = bx.Reservoir(J, occupation=bx.Uniform(0.0)), 0.5
    mode = bx.LinearSystem(lambda t: [[speed * t - 10.0]], bx.Channel(bath, [1.0]))
    solver = bx.Embedding(points=1024, modes=24)
    sol = bx.solve(mode, bx.Covariance([[1.0]]), [40.0], solver)
    expected = np.exp(-2.0 * np.pi * float(J.weight) / speed)
    np.testing.assert_allclose(sol.number[-1], expected, atol=2e-3)


@pytest.mark.slow
def test_slow_work():
    """A slow lift of a level does the work of the states of equilibrium, up to 1 / time."""

    def lifted(T):
        dot = bx.LinearSystem(
            lambda t: [[-0.5 + jnp.sin(0.5 * jnp.pi * t / T) ** 2]],
            bx.Channel(LEAD, [1.0]),
            "fermion",
        )
        start = bx.steady_state(bx.LinearSystem([[-0.5]], bx.Channel(LEAD, [1.0]), "fermion"))
        solver = bx.Embedding(points=1024, modes=32)
        return bx.solve(dot, bx.Covariance(start.n), [T], solver).work[0]

    x, weights = np.polynomial.legendre.leggauss(24)

    def filled(level):
        return bx.steady_state(
            bx.LinearSystem(jnp.reshape(level, (1, 1)), bx.Channel(LEAD, [1.0]), "fermion")
        ).number

    quasistatic = 0.5 * weights @ jax.jit(jax.vmap(filled))(jnp.asarray(0.5 * x))
    excess = [float(lifted(T)) - quasistatic for T in (40.0, 80.0)]
    assert 0.0 < excess[1] < excess[0] < 0.05
    np.testing.assert_allclose(2.0 * excess[1], excess[0], rtol=0.1)


def test_steep_and_rough_drives_are_no_jumps():
    for drive in (
        bx.Ramp(1.0, 2.0, 2.5, 1e-6),
        lambda t: 1.0 + jnp.sqrt(t),
        lambda t: jnp.abs(t - 2.0),
        lambda t: 1e9 + jnp.sin(400.0 * t),
        lambda t: 0.0 * t,
    ):
        bx.Cavity(drive, OHMIC).as_modes.require_drives(jnp.asarray(5.0))


# --- derivatives and batches ---------------------------------------------------------------------


class Pulse(eqx.Module):
    """A frequency with the parameters of a pulse."""

    height: jax.Array
    center: jax.Array
    width: jax.Array

    def __call__(self, t):
        return 1.0 + self.height * jnp.exp(-(((t - self.center) / self.width) ** 2))


COARSE = bx.Embedding(points=512, modes=20)


def work(parameters):
    cavity = bx.Cavity(Pulse(*parameters), OHMIC)
    return bx.solve(cavity, bx.Thermal(0.5), TS, COARSE).work[-1]


@pytest.mark.slow
def test_gradient_by_pulse_parameters():
    at = jnp.array([0.6, 3.0, 1.0])
    slopes = jax.jit(jax.grad(work))(at)
    values = jax.jit(jax.vmap(work))
    d = 1e-3

    def differences(d):
        steps = d * jnp.eye(3)
        return (values(at[None] + steps) - values(at[None] - steps)) / (2.0 * d)

    expected = (4.0 * differences(d) - differences(2.0 * d)) / 3.0
    np.testing.assert_allclose(slopes, expected, rtol=1e-7)


@pytest.mark.slow
def test_gradient_by_what_a_function_closes_over():
    def closed(height):
        cavity = bx.Cavity(lambda t: 1.0 + height * jnp.exp(-((t - 3.0) ** 2)), OHMIC)
        return bx.solve(cavity, bx.Thermal(0.5), TS, COARSE).work[-1]

    by_parameter = jax.jit(jax.grad(work))(jnp.array([0.6, 3.0, 1.0]))[0]
    np.testing.assert_allclose(jax.grad(closed)(0.6), by_parameter, rtol=1e-10)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: bx.solve(bx.Cavity(lambda t: 1.0 / (t - 2.0), OHMIC), bx.Fock(1), [0.0, 4.0]),
            "`frequency` must be finite at all times, but is not at t = 2",
        ),
        (
            lambda: bx.Cavity(lambda t: t.astype(complex), OHMIC),
            "`frequency` must be a function of the time that returns a real number",
        ),
        (
            lambda: bx.Cavity(lambda t: np.sin(t), OHMIC),
            "`frequency` must be a function of the time, made of `jax.numpy`",
        ),
        (
            lambda: bx.LinearSystem(lambda t: t, bx.Channel(OHMIC, [1.0])),
            "`h` must be a square matrix, but is of shape",
        ),
        (
            lambda: bx.solve(
                bx.LinearSystem(lambda t: [[1.0, t], [0.0, 1.0]], bx.Channel(OHMIC, [1.0, 0.0])),
                bx.Covariance(np.eye(2)),
                [1.0],
            ),
            "`h` must be Hermitian at all times, but is not at t = 0.00390625",
        ),
        (
            lambda: bx.Channel(OHMIC, [1.0], switch=lambda t: [t, t]),
            "`switch` must be a function of the time that returns a real number",
        ),
        (
            lambda: bx.Channel(OHMIC, [1.0], switch=0.5),
            "`switch` must be a function of the time",
        ),
        (
            lambda: bx.solve(bx.Cavity(lambda t: t, OHMIC), bx.Fock(1), [1.0], bx.Volterra()),
            "`solver` must be `Embedding.*` for a frequency that changes in time",
        ),
        (
            lambda: bx.solve(
                bx.Cavity(lambda t: jnp.where(t < 2.3, 1.0, 2.0), OHMIC), bx.Fock(1), [5.0]
            ),
            "`frequency` must be continuous .*, but is not at t = 2.3",
        ),
        (
            lambda: bx.solve(
                bx.LinearSystem(
                    [[1.0]], bx.Channel(OHMIC, [1.0], switch=lambda t: 0.01 * jnp.floor(t) + t)
                ),
                bx.Covariance([[0.0]]),
                [5.0],
            ),
            "`switch` must be continuous",
        ),
        (
            lambda: bx.critical_coupling(bx.Cavity(lambda t: t, OHMIC)),
            "`frequency` must be constant in time here",
        ),
        (
            lambda: bx.steady_state(bx.LinearSystem(lambda t: [[t]], bx.Channel(OHMIC, [1.0]))),
            "`h` must be constant in time here",
        ),
        (
            lambda: bx.solve(level(1.0, LEAD), bx.Equilibrium(level(1.0, SEMICIRCLE)), [1.0]),
            "`initial` must be a system with the reservoirs of the one that is solved",
        ),
        (
            lambda: bx.Equilibrium(
                bx.LinearSystem(
                    [[1.0]], [bx.Channel(b, [1.0]) for b in (LEAD, SEMICIRCLE)], "fermion"
                )
            ),
            "`system` must be a system whose reservoirs have one temperature",
        ),
        (
            lambda: bx.solve(
                level(1.0, LEAD), bx.Stationary(level(1.0, LEAD)), [1.0], bx.Volterra()
            ),
            "`solver` must be `Embedding.*` for a correlated start",
        ),
    ],
)
def test_bad_input(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.slow
@pytest.mark.parametrize("modes", [28, 32])
def test_errors_with_fewer_modes_than_a_reservoir_has(modes):
    """From joint equilibrium, at strong coupling. The error was 19 and 27 times its estimate."""
    bath = bx.Reservoir(bx.Ohmic(0.14, 5.0), temperature=1.0)
    before, after = (bx.Cavity(w, bath) for w in (1.0, 2.0))
    ts = jnp.linspace(0.0, 20.0, 21)

    def n(solver):
        return bx.solve(after.as_modes, bx.Equilibrium(before), ts, solver)

    found, exact = n(bx.Embedding(rtol=1e-7, modes=modes, points=1024)), n(bx.Embedding())
    true = jnp.abs(found.n - exact.n)
    assert jnp.max(true) > 1e-11
    assert jnp.all(true <= 10.0 * (found.error.n + exact.error.n))
