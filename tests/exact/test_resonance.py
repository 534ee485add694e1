"""The resonance expansion against time stepping, closed forms and asymptotic laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import gamma

import bathax as bx

NAMES = ("u", "du", "v", "dv", "interaction_noise")
WARM = {"temperature": 1.0}
FILLED = {"occupation": bx.Uniform(0.7)}
RESERVOIRS = {
    "band, two bound states": bx.Reservoir(bx.SemicircleBand(0.5, 1.2, 1.0), **WARM),
    "band edge": bx.Reservoir(bx.BandEdge(0.2, 0.8, 3.0), **WARM),
    "two edges": bx.Reservoir(bx.Ohmic(0.05, 5.0) + 0.5 * bx.BandEdge(0.2, 0.8, 3.0), **WARM),
    "peak on a background": bx.Reservoir(
        bx.Lorentzian(0.1, 0.5, 1.0) + bx.Ohmic(0.05, 5.0), **FILLED
    ),
    "three sharp peaks": bx.Reservoir(
        bx.Lorentzian(0.1, 0.05, 1.0)
        + bx.Lorentzian(0.1, 0.02, 1.2)
        + bx.Lorentzian(0.1, 0.02, 0.7),
        **FILLED,
    ),
}


def ohmic(eta, cutoff=5.0, exponent=1.0, temperature=1.0):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), temperature))


def differences(one, other):
    """Of Green functions, and by how much they may differ."""
    for name in NAMES:
        change = jnp.abs(getattr(one.value, name) - getattr(other.value, name))
        yield name, change, getattr(one.error, name) + getattr(other.error, name)


# --- against time stepping -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", RESERVOIRS)
def test_every_density(name):
    cavity, ts = bx.Cavity(1.0, RESERVOIRS[name]), jnp.array([0.0, 0.5, 3.0, 10.0])
    expanded = bx.Resonance().green_functions(cavity, ts)
    stepped = bx.Volterra(points=4096).green_functions(cavity, ts)
    assert expanded.status == bx.Status.SUCCESS
    for quantity, change, error in differences(expanded, stepped):
        assert jnp.max(change) < 1e-10, quantity
        assert jnp.all(change <= 10.0 * error), quantity


@pytest.mark.slow
def test_random_reservoirs_below_at_and_above_the_critical_coupling():
    rng = np.random.default_rng(1)
    ratio = np.concatenate([10 ** rng.uniform(-3, 1, 16), rng.uniform(0.9, 1.1, 8)])
    cutoff, exponent = 10 ** rng.uniform(-0.3, 1.3, 24), rng.uniform(0.5, 3.0, 24)
    temperature = np.where(np.arange(24) % 6 == 0, 0.0, 50.0 * rng.uniform(size=24) ** 2)
    parameters = (ratio / (cutoff * gamma(exponent)), cutoff, exponent, temperature)
    ts = jnp.array([0.0, 0.3, 1.0, 3.0])

    def both(eta, cutoff, exponent, temperature):
        cavity = ohmic(eta, cutoff, exponent, temperature)
        solvers = (bx.Resonance(), bx.Volterra(points=4096))
        return [solver.green_functions(cavity, ts) for solver in solvers]

    expanded, stepped = jax.jit(lambda p: jax.lax.map(lambda q: both(*q), p, batch_size=4))(
        tuple(map(jnp.asarray, parameters))
    )
    np.testing.assert_array_equal(expanded.status, 0)
    for quantity, change, error in differences(expanded, stepped):
        size = jnp.max(jnp.abs(getattr(stepped.value, quantity)), axis=1, keepdims=True)
        assert jnp.max(change / jnp.maximum(size, 1e-300)) < 1e-10, quantity
        assert jnp.all(change <= 10.0 * error), quantity


@pytest.mark.slow
def test_fewer_nodes_know_their_error():
    ts = jnp.linspace(0.0, 20.0, 21)
    for eta in (0.01, 0.3):
        exact = bx.Resonance().green_functions(ohmic(eta), ts)
        rough = bx.Resonance(nodes=192).green_functions(ohmic(eta), ts)
        for quantity, change, error in differences(rough, exact):
            assert jnp.all(change <= 10.0 * error), quantity


@pytest.mark.slow
def test_a_table_is_made_rational():
    """With a narrow peak, which is a pole of J between the lines from both ends."""

    def peaked(w):
        return 0.05 * w * jnp.exp(-w / 5.0) + 0.05 * w / ((w - 1.3) ** 2 + 0.15**2)

    w = jnp.concatenate([jnp.linspace(0.0, 4.0, 161), jnp.linspace(4.2, 40.0, 160)])
    table, ts = bx.Tabulated(w, peaked(w)), jnp.array([0.0, 0.3, 1.0, 3.0, 10.0])
    fitted, source = table.rational(), bx.Function(peaked, upper=40.0, panels=128)
    expanded = bx.Resonance().green_functions(bx.Cavity(1.0, bx.Reservoir(table, 1.0)), ts)
    assert expanded.status == bx.Status.SUCCESS
    for density in (fitted, source):
        cavity = bx.Cavity(1.0, bx.Reservoir(density, 1.0))
        stepped = bx.Volterra(points=4096).green_functions(cavity, ts)
        for quantity, change, error in differences(expanded, stepped):
            assert jnp.max(change) < 1e-8, quantity
            assert jnp.all(change <= 10.0 * error), quantity
    assert bx.resonances(bx.Cavity(1.0, bx.Reservoir(fitted, 1.0))).complete


# --- late times ----------------------------------------------------------------------------------


FIVE = bx.Fock(5)


def solved(cavity, ts):
    """From five quanta, by programs that few times share, whatever their number."""
    return bx.solve(cavity, FIVE, ts, bx.Resonance())


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_the_last_of_u_falls_like_a_power(exponent):
    """J ~ eta w_c (w/w_c)^s at w = 0 leaves eta w_c^(1-s) Gamma(s+1) / ((it)^(s+1) 1/G(0)^2)."""
    eta, cutoff = 0.02, 5.0
    ts = np.array([1e4, 1e5, 1e6])
    u = np.asarray(solved(ohmic(eta, cutoff, exponent), ts).u)
    inverse = -1.0 + eta * cutoff * gamma(exponent)
    law = eta * cutoff ** (1.0 - exponent) * gamma(exponent + 1.0) / inverse**2
    ratio = u * (1j * ts) ** (exponent + 1.0) / law
    np.testing.assert_allclose(ratio[1:], 1.0, atol=2e-3)
    assert abs(ratio[2] - 1.0) < 0.6 * abs(ratio[1] - 1.0)


@pytest.mark.slow
def test_a_late_time_is_the_limit():
    cavity = ohmic(0.3, temperature=20.0)
    late, limit = solved(cavity, [1e6]), bx.long_time_limit(cavity)
    assert late.status == bx.Status.SUCCESS
    for name in ("energy", "entropy", "temperature", "free_energy"):
        expected = float(getattr(limit, name)(FIVE))
        assert float(getattr(late, name)[0]) == pytest.approx(expected, rel=2e-5), name
    assert jnp.abs(late.u[0]) ** 2 == pytest.approx(float(limit.transmission), abs=1e-9)


def test_a_bound_state_is_not_taken_for_a_resonance():
    """Where Newton's method from below ends within rounding of it."""
    cavity = ohmic(0.2 * 1.0450819672131149, exponent=0.7, temperature=4.0)
    limit, late = bx.long_time_limit(cavity), solved(cavity, [1e6])
    assert float(limit.noise) == pytest.approx(float(late.v[0]), rel=2e-4)
    bound = complex(bx.bound_states(cavity).frequencies[0])
    assert not np.any(np.abs(np.asarray(bx.resonances(cavity).frequencies) - bound) < 1e-6)


# --- a density that time stepping refuses --------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.1, 0.5])
def test_drude_lorentz_against_the_spectral_integral(eta):
    """u = sum Z e^{-i w_b t} + int dw J |G|^2 e^{-iwt}; uniform filling gives v = n (1 - |u|^2)."""
    density, ts = bx.DrudeLorentz(eta, 5.0), jnp.array([0.0, 0.5, 2.0, 8.0])
    cavity = bx.Cavity(1.0, bx.Reservoir(density, occupation=bx.Uniform(0.7)))
    solution = bx.solve(cavity, bx.Fock(1), ts)
    x, weights = np.polynomial.legendre.leggauss(20)
    near, far = np.geomspace(1e-8, 0.1, 60), np.arange(0.15, 3.0, 0.05)
    panels = np.concatenate([[0.0], near, far, np.arange(3.0, 2000.0, 0.5)])
    half, middle = 0.5 * np.diff(panels)[:, None], 0.5 * (panels[1:] + panels[:-1])[:, None]
    w, masses = (middle + half * x).ravel(), (half * weights).ravel()
    z = jnp.asarray(w, complex)
    inverse = np.asarray(z - 1.0 - density.self_energy(z))
    spectrum = masses * np.asarray(density(jnp.asarray(w))) / np.abs(inverse) ** 2
    expected = np.exp(-1j * np.outer(np.asarray(ts), w)) @ spectrum
    bound = bx.bound_states(cavity)
    frequency, residue = float(jnp.nan_to_num(bound.frequencies[0])), float(bound.residues[0])
    expected += residue * np.exp(-1j * frequency * np.asarray(ts))
    # Above w = 2000 there is some 1e-7 of the spectrum, which only u(0) sees.
    np.testing.assert_allclose(solution.u, expected, atol=2e-6)
    np.testing.assert_allclose(solution.u[1:], expected[1:], atol=1e-8)
    filled = 0.7 * (1.0 - jnp.abs(solution.u) ** 2)
    assert jnp.all(jnp.abs(solution.v - filled) <= 10.0 * solution.error.v)


# --- poles ---------------------------------------------------------------------------------------


def test_the_two_bound_states_of_a_strongly_coupled_band():
    cavity = bx.Cavity(1.2, bx.Reservoir(bx.SemicircleBand(2.0, 1.2, 1.0)))
    bound = bx.bound_states(cavity)
    np.testing.assert_array_equal(bound.exist, [True, False, True])
    below, above = bound.frequencies[0] - 1.2, bound.frequencies[2] - 1.2
    # With Sigma(x) = 2 eta / (x + sqrt(x^2 - W^2)), x = Sigma(x) at x^2 = 4 eta^2 / (4 eta - W^2).
    np.testing.assert_allclose([-below, above], 4.0 / np.sqrt(7.0), rtol=1e-13)
    np.testing.assert_allclose(bound.residues[0], bound.residues[2], rtol=1e-12)


def test_the_residue_is_what_the_frequency_gains():
    """Z = dw_b/dw_s, by the derivative of the implicit function."""

    def lowest(frequency):
        bath = bx.Reservoir(bx.Ohmic(0.3, 5.0))
        return bx.bound_states(bx.Cavity(frequency, bath)).frequencies[0]

    residue = bx.bound_states(ohmic(0.3)).residues[0]
    np.testing.assert_allclose(jax.jit(jax.grad(lowest))(1.0), residue, rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.01, 0.99, 1.01, 3.0, 10.0])
def test_no_resonance_is_missed(ratio):
    found = bx.resonances(ohmic(0.2 * ratio))
    assert found.complete
    assert bool(jnp.any(found.exist))
    assert bx.bound_states(ohmic(0.2 * ratio)).exist[0] == (ratio > 1.0)


def test_a_weakly_coupled_resonance_decays_at_the_golden_rule_rate():
    found = bx.resonances(ohmic(1e-5))
    rate = 2.0 * np.pi * 1e-5 * np.exp(-0.2)
    np.testing.assert_allclose(found.widths[0], rate, rtol=1e-3)
    np.testing.assert_allclose(found.residues[0], 1.0, atol=1e-3)


# --- transformations and refusals ----------------------------------------------------------------


@pytest.mark.slow
def test_gradients_and_a_bad_point_of_a_batch():
    ts = jnp.array([0.5, 3.0])

    def quantities(parameters):
        estimate = bx.Resonance(nodes=64).green_functions(ohmic(*parameters), ts)
        return jnp.concatenate([estimate.value.u.real, estimate.value.v])

    points = np.array([[0.1, 5.0, 1.0, 2.0], [0.3, 4.0, 0.7, 20.0], [-0.1, 5.0, 1.0, 2.0]])
    compiled = jax.jit(jax.vmap(quantities))
    slopes = np.asarray(jax.jit(jax.vmap(jax.jacrev(quantities)))(points))

    def values(points):
        return np.asarray(compiled(points))

    np.testing.assert_array_equal(np.isnan(values(points)).all(axis=1), [False, False, True])
    pairs = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    for i, axis in enumerate(np.eye(4)):
        step = 0.004 * points[:, i : i + 1]
        move = step * axis
        change = sum(w * (values(points + k * move) - values(points - k * move)) for k, w in pairs)
        expected = change / step
        scale = np.max(np.abs(expected[:2]), axis=1, keepdims=True)
        assert np.max(np.abs(slopes[:2, :, i] - expected[:2]) / scale) < 1e-7


@pytest.mark.slow
def test_second_derivative_with_respect_to_the_temperature():
    """Of v, on lines that start at w = 0, where n(w) is infinite."""
    ts = jnp.array([0.5, 3.0, 20.0])

    def noise(temperature):
        return (
            bx.Resonance(nodes=64).green_functions(ohmic(0.03, 4.0, 0.9, temperature), ts).value.v
        )

    slope = jax.jit(jax.jacfwd(noise))
    second = jax.jit(jax.jacfwd(jax.jacfwd(noise)))(3.0)
    expected = (slope(3.001) - slope(2.999)) / 2e-3
    np.testing.assert_allclose(second, expected, rtol=1e-5)


def test_what_cannot_be_continued_is_refused():
    table = bx.Cavity(1.0, bx.Reservoir(bx.DiscreteModes([0.9, 1.2], [0.2, 0.1])))
    with pytest.raises(ValueError, match="must be analytic off the ends of its support"):
        bx.solve(table, bx.Fock(1), [1.0], bx.Resonance())
    given = bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Distribution(bx.Ohmic(0.1, 5.0)))
    with pytest.raises(ValueError, match="`occupation` must be thermal or uniform"):
        bx.solve(bx.Cavity(1.0, given), bx.Fock(1), [1.0], bx.Resonance())
    with pytest.raises(ValueError, match="`nodes` must be an even number"):
        bx.Resonance(nodes=101)


# --- the search for resonances -------------------------------------------------------------------


def all_complete(of_parameters, parameters):
    """Whether the argument principle agrees at every one of the parameters."""

    def complete(p):
        return bx.resonances(of_parameters(*p)).complete

    run = jax.jit(lambda p: jax.lax.map(complete, p, batch_size=16))
    return np.asarray(run(tuple(map(jnp.asarray, parameters))))


@pytest.mark.slow
@pytest.mark.parametrize("density", ["ohmic", "peak at an edge"])
def test_no_resonance_of_random_reservoirs_is_missed(density):
    """Chains of them far out at large exponents; one to the left of an edge that a peak covers."""
    rng = np.random.default_rng(5)
    exponent, cutoff = rng.uniform(0.5, 3.0, 48), 10 ** rng.uniform(-1.0, 1.5, 48)
    ratio = np.where(
        np.arange(48) % 4 == 0, rng.uniform(0.9, 1.1, 48), 10 ** rng.uniform(-3, 1, 48)
    )

    def of_parameters(ratio, cutoff, exponent):
        if density == "ohmic":
            return ohmic(ratio / (cutoff * jnp.exp(jax.lax.lgamma(exponent))), cutoff, exponent)
        edge = bx.BandEdge(ratio, 0.3 * cutoff, cutoff)
        return bx.Cavity(1.0, bx.Reservoir(edge + bx.Lorentzian(ratio, 0.1 * cutoff, cutoff), 0.0))

    assert np.all(all_complete(of_parameters, (ratio, cutoff, exponent)))


@pytest.mark.slow
def test_a_peak_without_weight_changes_nothing():
    peak, none, ts = (
        bx.Lorentzian(0.2, 0.3, 1.5),
        bx.Lorentzian(0.0, 0.3, 1.0),
        jnp.array([0.0, 5.0]),
    )
    for density, alone in ((none, None), (peak + none, peak)):
        u = bx.Resonance().green_functions(bx.Cavity(1.0, bx.Reservoir(density)), ts).value.u
        expected = jnp.exp(-1j * ts.astype(complex))
        if alone is not None:
            cavity = bx.Cavity(1.0, bx.Reservoir(alone))
            expected = bx.Resonance().green_functions(cavity, ts).value.u
        np.testing.assert_allclose(u, expected, atol=1e-12)


@pytest.mark.slow
def test_all_poles_of_many_peaks_are_eigenvalues():
    """Ten Lorentzians: ten lossy modes beside the level, one of w_j - i lambda_j each."""
    width, center = np.linspace(0.02, 0.4, 10), np.linspace(0.4, 1.6, 10)
    peaks = [bx.Lorentzian(0.05, w, c) for w, c in zip(width, center, strict=True)]
    cavity = bx.Cavity(1.0, bx.Reservoir(sum(peaks[1:], peaks[0]), occupation=bx.Uniform(0.0)))
    modes = np.diag(np.concatenate([[1.0], center - 1j * width]))
    modes[0, 1:] = modes[1:, 0] = np.sqrt(0.5 * 0.05 * width)
    found = bx.resonances(cavity)
    assert np.all(found.exist)
    np.testing.assert_allclose(
        np.sort_complex(found.frequencies), np.sort_complex(np.linalg.eigvals(modes)), atol=1e-13
    )
    ts = jnp.array([0.0, 3.0, 200.0])
    u = bx.Resonance().green_functions(cavity, ts).value.u
    exact = [expm(-1j * modes * t)[0, 0] for t in np.asarray(ts)]
    np.testing.assert_allclose(u, exact, atol=1e-12)
