"""Sum rules, independent engines and the second law."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

RESERVOIRS = {
    "ohmic": bx.Reservoir(bx.Ohmic(0.1, 5.0), 20.0),
    "above critical": bx.Reservoir(bx.Ohmic(0.3, 5.0), 20.0),
    "sub-ohmic": bx.Reservoir(bx.Ohmic(0.1, 5.0, 0.5), 2.0),
    "super-ohmic": bx.Reservoir(bx.Ohmic(0.05, 5.0, 3.0), 1.0),
    "band": bx.Reservoir(bx.SemicircleBand(0.05, 1.2, 0.5), 2.0),
    "band edge": bx.Reservoir(bx.BandEdge(0.2, 0.8, 3.0), 2.0),
    "sum": bx.Reservoir(bx.Ohmic(0.05, 5.0) + 0.5 * bx.BandEdge(0.2, 0.8, 3.0), 3.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESERVOIRS)
def test_commutator_and_noise_in_the_frequency_domain(name):
    cavity = bx.Cavity(1.0, RESERVOIRS[name])
    solved = bx.Volterra(points=4096).green_functions(cavity, jnp.array([10.0]))
    assert abs(bx.commutator_defect(cavity, 10.0, 4096)) < 1e-11
    np.testing.assert_allclose(
        bx.noise_from_spectrum(cavity, 10.0, 4096), solved.value.v[-1], rtol=1e-11
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("ohmic", bx.Fock(3)),
        ("above critical", bx.Fock(3)),
        ("above critical", bx.Coherent(1.0 + 0.5j)),
        ("band", bx.Coherent(1.0 + 0.5j)),
    ],
)
def test_entropy_of_the_whole_never_falls_below_its_start(name, state):
    cavity = bx.Cavity(1.0, RESERVOIRS[name])
    ts = jnp.linspace(0.0, 20.0, 101)
    solution = bx.solve(cavity, state, ts, bx.Volterra(points=4096))
    assert jnp.all(solution.entropy_production >= -1e-9)
    assert solution.entropy_production[-1] > 0.1


def test_reservoirs_add():
    """Two halves of a reservoir are the whole; different temperatures give the mean occupation."""
    half, whole = bx.Ohmic(0.05, 5.0), bx.Ohmic(0.1, 5.0)
    ts = jnp.linspace(0.0, 5.0, 6)
    solver = bx.Volterra(points=1024)

    def noise(*reservoirs):
        return solver.green_functions(bx.Cavity(1.0, reservoirs), ts).value.v

    together = noise(bx.Reservoir(half, 2.0), bx.Reservoir(half, 6.0))
    apart = 0.5 * (noise(bx.Reservoir(whole, 2.0)) + noise(bx.Reservoir(whole, 6.0)))
    np.testing.assert_allclose(together, apart, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [
        bx.DensityMatrix([[0.3, 0.2j, 0.1], [-0.2j, 0.5, 0.0], [0.1, 0.0, 0.2]], levels=32),
        bx.Coherent(0.8 + 0.5j),
        bx.Squeezed(0.4, 0.3, 0.1),
    ],
    ids=["matrix", "coherent", "squeezed"],
)
def test_master_equation_gives_the_same_states(state):
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.05, 5.0), 0.5))
    ts, levels = jnp.array([0.5, 2.0, 5.0]), 32
    start = state.density_matrix(jnp.asarray(1.0 + 0.0j), jnp.zeros(()), levels)
    integrated = bx.integrate_master_equation(cavity, start, ts, points=1024, rtol=1e-9)
    solution = bx.solve(cavity, state, ts, bx.Volterra(points=1024))
    rho = np.asarray(solution.density_matrix(levels))
    np.testing.assert_allclose(rho, integrated, rtol=0, atol=1e-7)
    eigenvalues = np.linalg.eigvalsh(rho)
    entropy = [-sum(p * np.log(p) for p in row if p > 1e-16) for row in eigenvalues]
    np.testing.assert_allclose(solution.entropy, entropy, atol=1e-6)
    number = np.einsum("tnn,n->t", rho.real, np.arange(32.0))
    np.testing.assert_allclose(solution.number, number, atol=1e-6)


@pytest.mark.slow
def test_energy_is_conserved_with_the_reservoir_in_the_vacuum():
    """At T0 = 0, w_s |u|^2 + <H_I> + int w J |U|^2 dw = w_s n0 with <H_I> from the solution."""
    density = bx.Ohmic(0.1, 5.0)
    cavity = bx.Cavity(1.0, bx.Reservoir(density))
    t = 6.0
    solution = bx.solve(cavity, bx.Fock(1), [t], bx.Volterra(points=4096))
    nodes, masses = density.measure(4096)
    amplitude = bx.excitation_spectrum(cavity, t, nodes, 4096)
    reservoir = jnp.sum(masses * nodes * jnp.abs(amplitude) ** 2)
    total = solution.energy[0] + solution.interaction_energy[0] + reservoir
    np.testing.assert_allclose(total, 1.0, rtol=1e-11)
