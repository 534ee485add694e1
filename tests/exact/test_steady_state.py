"""Steady states of several modes against closed forms, reference numbers and other engines."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma

import bathax as bx
from tests.exact.test_linear import check_derivatives

CHAIN = next(
    case
    for case in json.loads(Path(__file__).with_name("linear_reference.json").read_text())[
        "references"
    ]
    if case["times"] == "infinity"
)
# Half the width of a band so wide that the closed forms of infinite ones hold to 1e-10.
WIDE = 1e11
BIASES = jnp.linspace(-2.0, 2.0, 5)


class Constant(bx.SpectralDensity):
    """J(w) = gamma / 2 pi for all w > 0, without level shift: the golden rule at all energies."""

    gamma: float

    def __call__(self, w):
        return jnp.where(w > 0.0, self.gamma / (2.0 * jnp.pi), 0.0)

    lower = property(lambda _: jnp.zeros(()))
    bandwidth = property(lambda _: jnp.ones(()))

    weight = property(lambda self: self.gamma)

    def measure(self, resolution):
        raise NotImplementedError

    def level_shift(self, w):
        return jnp.zeros_like(w)


def level(energy, leads, statistics="fermion"):
    """One mode between reservoirs."""
    return bx.LinearSystem([[energy]], [bx.Channel(bath, [1.0]) for bath in leads], statistics)


def flat_leads(gammas, temperatures, potentials, width):
    """Leads of constant density."""
    each = zip(gammas, temperatures, potentials, strict=True)
    return [bx.Reservoir(bx.FlatBand(gamma, -width, width), T, mu) for gamma, T, mu in each]


def test_reference_chain():
    """Between a hot and a cold reservoir."""
    given = CHAIN["parameters"]
    channels = [
        bx.Channel(bx.Reservoir(bx.Ohmic(lead["J"]["eta"], lead["J"]["wc"]), lead["T"]), lead["c"])
        for lead in given["leads"]
    ]
    end, expected = bx.steady_state(bx.LinearSystem(given["h"], channels)), CHAIN["values"]
    assert end.status == 0
    n = np.asarray(expected["n"]["re"]) + 1j * np.asarray(expected["n"]["im"])
    np.testing.assert_allclose(end.n, n, atol=1e-12)
    np.testing.assert_allclose(end.particle_current, expected["dN_dt"], atol=1e-12)
    np.testing.assert_allclose(end.energy_current, expected["dE_dt"], atol=1e-12)
    assert end.error.n.max() < 1e-11
    assert end.bound_weight < 1e-14


def test_a_level_between_two_wide_leads():
    """At T = 0, and at T > 0 where n is a digamma function of each lead."""
    cold = bx.steady_state(level(0.5, flat_leads([0.5, 0.5], [0.0, 0.0], [1.0, -1.0], WIDE)))
    assert cold.status == 0
    assert cold.number == pytest.approx(0.4262081912, abs=1e-10)
    np.testing.assert_allclose(cold.particle_current, [-0.1618959044, 0.1618959044], atol=1e-10)
    gammas, temperatures, potentials = [0.7, 0.3], [0.2, 0.05], [1.0, -0.4]
    warm = bx.steady_state(level(0.5, flat_leads(gammas, temperatures, potentials, WIDE)))
    filled = [
        0.5 - digamma(0.5 + (0.5 + 1j * (0.5 - mu)) / (2.0 * np.pi * T)).imag / np.pi
        for T, mu in zip(temperatures, potentials, strict=True)
    ]
    assert warm.number == pytest.approx(np.dot(gammas, filled), abs=1e-10)
    current = 0.7 * 0.3 * (filled[0] - filled[1])
    np.testing.assert_allclose(warm.particle_current, [-current, current], atol=1e-10)


def bands(gammas, temperatures, potentials):
    """Leads of the wide-band limit."""
    densities = (bx.WideBand(gamma) for gamma in gammas)
    return [
        bx.Reservoir(J, T, mu) for J, T, mu in zip(densities, temperatures, potentials, strict=True)
    ]


def test_a_level_between_bands_without_ends():
    """The closed forms of the wide-band limit; of its energies only currents exist."""
    cold = bx.steady_state(level(0.5, bands([0.5, 0.5], [0.0, 0.0], [1.0, -1.0])))
    assert cold.status == 0
    upper, lower = np.arctan(2.0 * (np.array([1.0, -1.0]) - 0.5)) / np.pi
    assert cold.number == pytest.approx(0.5 * (1.0 + upper + lower), abs=1e-13)
    current = 0.25 * (upper - lower)
    np.testing.assert_allclose(cold.particle_current, [-current, current], atol=1e-13)
    energy = 0.5 * current + 0.25 / (4.0 * np.pi) * np.log((0.5**2 + 0.25) / (1.5**2 + 0.25))
    np.testing.assert_allclose(cold.energy_current, [-energy, energy], atol=1e-13)
    assert np.isnan(cold.interaction_energy).all()
    warm = bx.steady_state(level(0.5, bands([1.0], [0.2], [0.0])))
    filled = 0.5 - digamma(0.5 + (0.5 + 0.5j) / (0.4 * np.pi)).imag / np.pi
    assert warm.number == pytest.approx(filled, abs=1e-13)


def test_two_dots_at_infinite_bias():
    """I = GL GR (GL + GR) O^2 / [(O^2 + GL GR / 4) (GL + GR)^2 + GL GR d^2]."""
    channels = [
        bx.Channel(lead, end)
        for lead, end in zip(bands([1.0, 0.5], [0.0] * 2, [1e7, -1e7]), np.eye(2), strict=True)
    ]
    dots = bx.LinearSystem([[0.15, 0.7], [0.7, -0.15]], channels, "fermion")
    end = bx.steady_state(dots)
    assert end.particle_current[1] == pytest.approx(0.257217847769, rel=1e-6)
    late = bx.long_time_covariance(dots, bx.Covariance(np.zeros((2, 2))))
    np.testing.assert_allclose(late.n, end.n, atol=1e-12)


def test_what_refuses_a_band_without_ends():
    """One sentence each."""
    lead, empty = bx.Reservoir(bx.WideBand(1.0)), bx.Covariance([[0.0]])
    for refused in (
        lambda: bx.solve(level(bx.Ramp(0.0, 1.0, 0.0, 1.0), [lead]), empty, [1.0]),
        lambda: bx.solve(level(0.5, [lead]), bx.Equilibrium(level(0.5, [lead])), [1.0]),
        lambda: bx.solve(level(0.5, [lead]), empty, [1.0], bx.Volterra()),
        lambda: bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0) + 2.0 * bx.WideBand(1.0))),
        lambda: bx.LinearSystem([[1.0]], bx.Channel(lead, [1.0]), "boson"),
        lambda: bx.Cavity(1.0, lead),
        lambda: bx.Qubit(1.0, lead),
    ):
        with pytest.raises(ValueError, match=r"Argument `spectral_density` must be .*WideBand"):
            refused()


def test_a_level_between_lorentzian_leads():
    """The leads of a test of QuTiP, whose density is centred at the chemical potential."""
    leads = [bx.Reservoir(bx.Lorentzian(0.01, 1.0, mu), 0.025851991, mu) for mu in (1.0, -1.0)]
    end = bx.steady_state(level(1.0, leads))
    assert end.status == 0
    assert end.particle_current[1] == pytest.approx(8.130726699e-4, abs=1e-12)


def test_two_oscillators_between_baths():
    baths = [bx.Reservoir(Constant(0.02), T) for T in (2.0, 1.0)]
    channels = [bx.Channel(bath, c) for bath, c in zip(baths, np.eye(2), strict=True)]
    end = bx.steady_state(bx.LinearSystem([[1.0, 0.05], [0.05, 1.0]], channels))
    assert end.energy_current[1] == pytest.approx(0.0092252086, abs=1e-10)


def double_dot(hopping, detuning, leads):
    h = [[0.5 * detuning, hopping], [hopping, -0.5 * detuning]]
    channels = [bx.Channel(lead, c) for lead, c in zip(leads, np.eye(2), strict=True)]
    return bx.LinearSystem(h, channels, "fermion")


def test_a_double_dot_at_infinite_bias():
    left, right, hopping, detuning = 1.0, 0.5, 0.7, 0.3
    leads = flat_leads([left, right], [0.0, 0.0], [0.3 * WIDE, -0.3 * WIDE], WIDE)
    end = bx.steady_state(double_dot(hopping, detuning, leads))
    total, rate = left + right, left * right
    expected = rate * total * hopping**2
    expected /= (hopping**2 + rate / 4) * total**2 + rate * detuning**2
    assert end.particle_current[1] == pytest.approx(expected, abs=1e-10)
    assert expected == pytest.approx(0.257217847769)


# --- other engines ------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_mode_is_a_cavity():
    baths = [bx.Reservoir(bx.Ohmic(0.03, 5.0), T) for T in (3.0, 0.5)]
    end = bx.steady_state(level(1.0, baths, "boson"))
    cavity = bx.Cavity(1.0, baths)
    limit, current = bx.long_time_limit(cavity), bx.heat_current(cavity)
    assert end.number == pytest.approx(float(limit.noise), abs=1e-12)
    assert end.energy_current[1] == pytest.approx(float(current.value), abs=1e-12)


def random_dots(seed):
    """Two levels with complex couplings to both leads."""
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    c = 0.5 * (rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))
    leads = flat_leads([0.4, 0.3], [0.1, 0.0], [0.5, -0.5], 3.0)
    channels = [bx.Channel(lead, row) for lead, row in zip(leads, c, strict=True)]
    return bx.LinearSystem(0.2 * (h + h.conj().T), channels, "fermion")


def test_volterra_at_late_times():
    dots = random_dots(1)
    end = bx.steady_state(dots)
    assert end.status == 0
    sol = bx.solve(dots, bx.Covariance(np.zeros((2, 2))), [300.0], bx.Volterra(points=4096))
    for name in ("n", "number", "energy", "particle_current", "energy_current"):
        np.testing.assert_allclose(getattr(sol, name)[0], getattr(end, name), atol=1e-7)
    np.testing.assert_allclose(sol.interaction_energy[0], end.interaction_energy, atol=1e-6)
    assert sol.entropy[0] == pytest.approx(float(end.entropy), abs=1e-6)


# --- balances and derivatives -------------------------------------------------------------------


def three_leads(key):
    """Three modes and three leads at random, some at T = 0, with mu inside and outside of bands."""
    parts = jax.random.split(key, 5)
    h, c = (jax.lax.complex(*jax.random.normal(part, (2, 3, 3))) for part in (parts[0], parts[1]))
    temperatures = jnp.maximum(jax.random.uniform(parts[2], (3,), minval=-0.3, maxval=1.0), 0.0)
    potentials = jax.random.uniform(parts[3], (3,), minval=-4.0, maxval=4.0)
    gammas = jax.random.uniform(parts[4], (3,), minval=0.05, maxval=0.5)
    leads = flat_leads(gammas, temperatures, potentials, 3.0)
    channels = [bx.Channel(lead, 0.4 * row) for lead, row in zip(leads, c, strict=True)]
    return bx.LinearSystem(0.2 * (h + h.conj().T), channels, "fermion")


@pytest.mark.slow
def test_balances_and_the_second_law():
    """In a hundred random systems, of which some have bound states."""

    def ends(key):
        modes = three_leads(key)
        end = bx.steady_state(modes)
        warmth = jnp.stack([bath.temperature for bath in modes.reservoirs])
        mu = jnp.stack([bath.occupation.level for bath in modes.reservoirs])
        heat = end.energy_current - mu * end.particle_current
        return end, warmth, heat

    end, temperatures, heat = jax.jit(jax.vmap(ends))(jax.random.split(jax.random.key(0), 100))
    resolved = end.error.particle_current[:, 0] < 1e-9
    assert resolved.astype(float).mean() > 0.6
    sums = jnp.stack([jnp.sum(end.particle_current, axis=1), jnp.sum(end.energy_current, axis=1)])
    assert jnp.abs(sums).max() < 1e-12
    # At T = 0 no heat can leave a lead; other leads gain entropy.
    assert jnp.where((temperatures == 0.0) & resolved[:, None], heat, 0.0).min() > -1e-10
    warm = jnp.all(temperatures > 0.01, axis=1) & resolved
    entropy = jnp.sum(heat / jnp.where(temperatures > 0.0, temperatures, 1.0), axis=1)
    assert jnp.where(warm, entropy, 0.0).min() > -1e-10
    occupied = np.linalg.eigvalsh(end.n[resolved])
    assert occupied.min() > -1e-12
    assert occupied.max() < 1.0 + 1e-12
    assert jnp.all((end.status == 0) == (end.error.n[:, 0, 0] < 1e-9))


PARAMETERS = {
    "level": 0.3,
    "hopping": 0.4,
    "coupling": 0.8,
    "width": 0.5,
    "temperature": 0.2,
    "mu": 0.6,
    "cold mu": -0.5,
    "edge": 2.0,
}


def transport(p):
    """Everything that is known of a double dot between a warm lead and one at T = 0."""
    warm = bx.Reservoir(bx.FlatBand(p["width"], -3.0, p["edge"]), p["temperature"], p["mu"])
    cold = bx.Reservoir(bx.FlatBand(0.3, -3.0, 3.0), 0.0, p["cold mu"])
    h = jnp.array([[1.0, 0.0], [0.0, 0.0]]) * p["level"] + p["hopping"] * jnp.array(
        [[0.0, 1.0], [1.0, 0.0]]
    )
    c = p["coupling"] * jnp.array([1.0, 0.2])
    channels = [bx.Channel(warm, c), bx.Channel(cold, [0.0, 1.0])]
    end = bx.steady_state(bx.LinearSystem(h, channels, "fermion"))
    parts = [end.n.real, end.n.imag, end.energy, end.entropy]
    parts += [end.particle_current, end.energy_current, end.interaction_energy]
    return jnp.concatenate([part.ravel() for part in parts])


@pytest.mark.slow
def test_derivatives_by_all_kinds_of_parameters():
    """By the chemical potential of a lead at T = 0 too."""
    check_derivatives(transport, PARAMETERS, 1e-8)


def test_a_batch_of_biases():
    def current(bias):
        leads = flat_leads([0.4, 0.4], [0.1, 0.1], [0.5 * bias, -0.5 * bias], 3.0)
        return bx.steady_state(double_dot(0.3, 0.2, leads)).particle_current[1]

    batch = jax.jit(jax.vmap(current))(BIASES)
    np.testing.assert_allclose(batch, [current(bias) for bias in BIASES], atol=1e-14)
    np.testing.assert_allclose(batch, -batch[::-1], atol=1e-14)
    assert jnp.all(jnp.diff(batch) > 0.0)


# --- what has no unique steady state --------------------------------------------------------------


def test_a_bound_state_keeps_its_weight():
    """The weight is the residue of the propagator, beyond both ends of the band."""
    bath = bx.Reservoir(bx.SemicircleBand(0.3, 1.0, 0.9), occupation=bx.Uniform(0.5))
    with pytest.warns(bx.ToleranceWarning):
        end = bx.steady_state(level(1.3, [bath], "boson"))
    residues = bx.bound_states(bx.Cavity(1.3, bath)).residues
    assert end.bound_weight == pytest.approx(float(residues.sum()), abs=1e-12)
    assert end.number == pytest.approx(0.5 * (1.0 - float(residues.sum())), abs=1e-12)
    assert end.error.number > end.bound_weight
    with pytest.raises(bx.ToleranceError):
        bx.steady_state(level(1.3, [bath], "boson"), throw=True)


@pytest.mark.parametrize(
    ("h", "c", "weight"),
    [
        ([[0.3, 0.0], [0.0, 0.3]], [1.0, 1.0], 1.0),  # equal levels: one superposition is dark
        ([[0.3, 0.0], [0.0, -0.3]], [1.0, 0.0], 1.0),  # a level without coupling
        ([[0.3, 0.0], [0.0, -0.3]], [0.0, 0.0], 2.0),
        ([[0.3, 0.2], [0.2, -0.3]], [1.0, 0.0], 0.0),
    ],
)
@pytest.mark.filterwarnings("ignore::bathax.ToleranceWarning")
def test_isolated_levels(h, c, weight):
    lead = flat_leads([0.4], [0.1], [0.0], 5.0)[0]
    end = bx.steady_state(bx.LinearSystem(h, bx.Channel(lead, c), "fermion"))
    assert end.bound_weight == pytest.approx(weight, abs=1e-9)
    assert int(end.status) == int(weight > 0.0)
    assert not jnp.any(jnp.isnan(end.n))


def test_what_is_refused():
    modes = bx.Reservoir(bx.DiscreteModes([1.0], [0.1]))
    with pytest.raises(ValueError, match="must be continuous, or there is no steady state"):
        bx.steady_state(level(1.0, [modes], "boson"))
    lead = flat_leads([0.4], [0.1], [0.0], 5.0)
    with pytest.raises(ValueError, match="`solver` must be left out"):
        bx.steady_state(level(1.0, lead), bx.Hierarchy())

    def number(gamma):
        end = bx.steady_state(level(0.3, flat_leads([gamma], [0.1], [0.0], 5.0)))
        return end.number, end.status

    numbers, status = jax.jit(jax.vmap(number))(jnp.array([0.4, -0.4]))
    np.testing.assert_array_equal(status, [0, 2])
    np.testing.assert_array_equal(jnp.isnan(numbers), [False, True])
