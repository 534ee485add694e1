"""Bound states of several modes: a cavity, the weight missing in the continuum, late times."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

H = np.array([[0.3, 0.2 + 0.1j], [0.2 - 0.1j, -0.1]])
C = np.array([[1.0, 0.5j], [0.3, 1.0]])
FLAT = (bx.FlatBand(2.0, -1.0, 1.0), bx.FlatBand(1.0, -1.0, 1.5))
OHMIC = (bx.Ohmic(0.2, 2.0), bx.Ohmic(0.1, 3.0, 0.5))


def system(h, densities, couplings, statistics="fermion"):
    channels = [
        bx.Channel(bx.Reservoir(J, 0.0), c) for J, c in zip(densities, couplings, strict=True)
    ]
    return bx.LinearSystem(h, channels, statistics)


def test_one_mode_is_a_cavity():
    J = bx.SemicircleBand(eta=0.3, center=1.0, half_width=0.9)
    found = bx.bound_states(system([[1.3]], [J], [[1.0]], "boson"))
    cavity = bx.bound_states(bx.Cavity(1.3, bx.Reservoir(J)))
    for one, other in (
        (found.frequencies, cavity.frequencies),
        (found.residues[:, 0, 0], cavity.residues),
    ):
        np.testing.assert_allclose(one[found.exist], other[cavity.exist], atol=1e-14)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bathax.ToleranceWarning")
@pytest.mark.parametrize(("densities", "count"), [(FLAT, 3), (OHMIC, 2)])
def test_their_weight_is_missing_in_the_continuum(densities, count):
    """And the propagator is singular there, with a residue of rank 1."""
    modes = system(H, densities, C, "fermion" if densities is FLAT else "boson")
    found = bx.bound_states(modes)
    assert found.exist.sum() == count
    weight = np.trace(np.asarray(found.residues).sum(axis=0)).real
    assert bx.steady_state(modes).bound_weight == pytest.approx(weight, abs=1e-12)
    for w, residue in zip(found.frequencies[found.exist], found.residues, strict=False):
        sigma = [J.level_shift(w) for J in densities]
        matrix = float(w) * np.eye(2) - H - np.einsum("ai,aj,a->ij", C, C.conj(), sigma)
        np.testing.assert_allclose(matrix @ np.asarray(residue), 0.0, atol=1e-12)
        assert np.linalg.matrix_rank(residue, tol=1e-10) == 1


@pytest.mark.parametrize(
    ("h", "couplings", "dark"),
    [
        ([[0.3, 0.0], [0.0, 0.3]], [[0.3, 0.4], [0.0, 0.0]], [0.3]),
        ([[0.3, 0.0], [0.0, 0.3]], [[0.3, 0.4], [0.4, 0.3]], []),
        ([[0.3, 0.0], [0.0, -0.2]], [[0.3, 0.0], [0.4, 0.0]], [-0.2]),
        ([[0.3, 0.1], [0.1, -0.2]], [[0.3, 0.0], [0.4, 0.0]], []),
        ([[0.2, 0.1], [0.1, 0.2]], [[0.3, 0.3], [0.4, 0.4]], [0.1]),
        ([[0.2, 0.1], [0.1, 0.2]], [[0.0, 0.0], [0.0, 0.0]], [0.1, 0.3]),
    ],
)
def test_what_no_reservoir_reaches(h, couplings, dark):
    """Superpositions inside of the bands, whose weight is 1."""
    densities = (bx.SemicircleBand(0.05, 0.0, 2.0), bx.SemicircleBand(0.05, 0.0, 2.0))
    found = bx.bound_states(system(h, densities, couplings))
    np.testing.assert_allclose(found.frequencies[found.exist], dark, atol=1e-14)
    for residue in np.asarray(found.residues)[np.asarray(found.exist)]:
        np.testing.assert_allclose(residue @ residue, residue, atol=1e-14)
        np.testing.assert_allclose(np.asarray(couplings).conj() @ residue, 0.0, atol=1e-14)


def test_derivatives():
    """Of frequencies and weights by a level, a coupling and an edge, against differences."""

    def weights(level, coupling, edge):
        h = jnp.asarray(H) + level.astype(complex) * jnp.diag(jnp.array([1.0 + 0.0j, 0.0]))
        c = jnp.asarray(C).at[0, 0].set(coupling.astype(complex))
        found = bx.bound_states(system(h, (bx.FlatBand(2.0, -1.0, edge), FLAT[1]), c))
        w = jnp.where(found.exist, found.frequencies, 0.0)
        return jnp.concatenate([w, found.residues.real.ravel(), found.residues.imag.ravel()])

    at, step = [jnp.asarray(x) for x in (0.1, 0.9, 1.1)], 1e-3
    run, slopes = jax.jit(weights), jax.jit(jax.jacfwd(weights, (0, 1, 2)))(*at)
    reverse = jax.jit(jax.jacrev(weights, (0, 1, 2)))(*at)
    for place, (slope, back) in enumerate(zip(slopes, reverse, strict=True)):
        values = [
            run(*(x + k * step * (place == i) for i, x in enumerate(at))) for k in (-2, -1, 1, 2)
        ]
        expected = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
        np.testing.assert_allclose(slope, expected, atol=1e-8)
        np.testing.assert_allclose(back, slope, atol=1e-11)


@pytest.mark.slow
def test_late_times_with_beating_bound_states():
    """As `Volterra` has it; what does not last falls like 1 / t^3."""
    leads = [bx.Reservoir(bx.Ohmic(0.3, 2.0, 3.0), 0.5), bx.Reservoir(bx.Ohmic(0.4, 2.0, 3.0), 0.0)]
    channels = [bx.Channel(lead, c) for lead, c in zip(leads, C, strict=True)]
    modes, initial = bx.LinearSystem(H, channels), bx.Covariance([[1.0, 0.0], [0.0, 0.3]])
    late, ts = bx.long_time_covariance(modes, initial), jnp.array([30.0, 32.0])
    sol = bx.solve(modes, initial, ts, bx.Volterra(points=4096))
    np.testing.assert_allclose(late.at(ts), sol.n, atol=1e-5)
    assert late.error < 1e-12
    assert jnp.abs(late.at(ts[:1]) - late.at(ts[1:])).max() > 0.1


def test_a_dark_superposition_keeps_its_start():
    lead = bx.Reservoir(bx.SemicircleBand(0.05, 0.0, 2.0), 0.1, 0.0)
    modes = bx.LinearSystem(0.3 * np.eye(2), bx.Channel(lead, [1.0, 1.0]), "fermion")
    late = bx.long_time_covariance(modes, bx.Covariance([[1.0, 0.0], [0.0, 0.0]]))
    dark = np.array([1.0, -1.0]) / np.sqrt(2.0)
    assert dark @ np.asarray(late.at([0.0])[0]) @ dark == pytest.approx(0.5, abs=1e-12)
    assert late.error < 1e-10
