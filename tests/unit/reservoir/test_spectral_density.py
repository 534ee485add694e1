"""Every spectral density: closed forms against its own quadrature and against SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.grid import TimeGrid
from bathax.numerics.quadrature import fourier_sum
from bathax.numerics.special import expint1
from bathax.reservoir.spectral_density import SpectralDensity
from bathax.reservoir.strength import separated

from .densities import PROBLEMS, bose

GRID = TimeGrid(jnp.asarray(0.05), 512)
FEW = np.array([1, 9, 100])  # grid points at which SciPy is asked
THERMAL = [name for name, problem in PROBLEMS.items() if problem.is_thermal]
SMOOTH = [name for name in PROBLEMS if name not in ("Lorentzian", "tabulated")]
FALLING = [name for name in PROBLEMS if name != "Drude-Lorentz"]
FREQUENCIES = np.array([-1.0, 0.0, 0.31, 0.4, 0.81, 1.3, 2.09, 2.6, 5.9, 9.0])

memory = jax.jit(lambda density, grid: density.memory_kernel(grid))
noise = jax.jit(lambda density, grid, occupation: density.noise_kernel(grid, occupation))
general_memory = jax.jit(SpectralDensity.memory_kernel)
general_noise = jax.jit(SpectralDensity.noise_kernel)
general_self_energy = jax.jit(SpectralDensity.self_energy)
self_energy = jax.jit(lambda density, z: density.self_energy(z))
measure = jax.jit(lambda density, resolution: density.measure(resolution), static_argnums=1)
level_shift = jax.jit(lambda density, w: density.level_shift(w))


def relative(result, reference) -> float:
    """The largest difference, relative to the largest value."""
    result, reference = np.asarray(result), np.asarray(reference)
    return float(np.abs(result - reference).max() / np.abs(reference).max())


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


# --- J(w) -------------------------------------------------------------------------------------


def test_value_is_the_formula(problem):
    values = jax.jit(problem.density.__call__)(jnp.asarray(FREQUENCIES))
    expected = [problem.J(w) for w in FREQUENCIES.tolist()]
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-17)


def test_a_density_is_its_strength_times_that_of_unit_strength(problem):
    w, density = jnp.asarray(FREQUENCIES), problem.density
    for each in (density, 0.3 * density):
        strength, unit = separated(each)
        np.testing.assert_allclose(strength * unit(w), each(w), rtol=1e-14)
        assert separated(unit)[0] == 1.0


def test_lower_end_and_bandwidth(problem):
    assert float(problem.density.lower) == pytest.approx(problem.lower)
    assert 0.5 < float(problem.density.bandwidth) < 10.0


@pytest.mark.parametrize("name", FALLING)
def test_masses_and_first_kernel_value_are_the_integral(name):
    density = PROBLEMS[name].density
    nodes, masses = measure(density, 256)
    assert nodes.shape == masses.shape
    assert jnp.all(masses >= 0)
    total = PROBLEMS[name].fourier(0.0).real
    assert jnp.sum(masses) == pytest.approx(total, rel=1e-12)
    assert complex(memory(density, GRID)[0]) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in FALLING if name != "Lorentzian"])
def test_measure_resolves_what_the_grid_resolves(name):
    density = PROBLEMS[name].density
    nodes, masses = measure(density, GRID.points)
    assert relative(jax.jit(fourier_sum)(masses, nodes, GRID), memory(density, GRID)) < 1e-12


@pytest.mark.parametrize("name", ["Lorentzian", "Drude-Lorentz"])
def test_measure_of_an_algebraic_tail_integrates_functions_that_fall_off(name):
    problem = PROBLEMS[name]
    nodes, masses = measure(problem.density, 512)
    value = jnp.sum(masses * jnp.exp(-((nodes - 1.0) ** 2)))
    expected = problem.fourier(0.0, lambda w: np.exp(-((w - 1.0) ** 2))).real
    assert value == pytest.approx(expected, rel=1e-12)


# --- kernels ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMOOTH)
def test_memory_kernel_is_its_own_quadrature(name):
    density = PROBLEMS[name].density
    assert relative(memory(density, GRID)[1:], general_memory(density, GRID)[1:]) < 3e-15


def test_memory_kernel_against_scipy(problem):
    kernel = memory(problem.density, GRID)
    expected = [problem.fourier(0.05 * j) for j in FEW.tolist()]
    assert relative(kernel[FEW], expected) < 1e-10


@pytest.mark.parametrize("name", THERMAL)
@pytest.mark.parametrize("temperature", [0.2, 2.0, 1e3])
def test_noise_kernel_is_its_own_quadrature(name, temperature):
    arguments = PROBLEMS[name].density, GRID, bx.BoseEinstein(temperature)
    assert relative(noise(*arguments), general_noise(*arguments)) < 1e-14


@pytest.mark.parametrize("name", THERMAL)
@pytest.mark.parametrize("temperature", [0.2, 20.0])
def test_noise_kernel_against_scipy(name, temperature):
    problem = PROBLEMS[name]
    kernel = noise(problem.density, GRID, bx.BoseEinstein(temperature))
    few = np.array([0, 9, 100])
    expected = [
        problem.fourier(0.05 * j, bose(temperature), 40 * temperature) for j in few.tolist()
    ]
    assert relative(kernel[few], expected) < 1e-10


def test_noise_of_a_uniform_occupation(problem):
    occupation = bx.Uniform(0.7)
    kernel = noise(problem.density, GRID, occupation)
    np.testing.assert_allclose(kernel, 0.7 * memory(problem.density, GRID), rtol=1e-15)


def test_vacuum_has_no_noise(problem):
    kernel = noise(problem.density, GRID, bx.BoseEinstein(0.0))
    np.testing.assert_array_equal(kernel, 0.0)


@pytest.mark.parametrize("name", ["Ohmic", "sub-Ohmic", "super-Ohmic 2", "Drude-Lorentz"])
def test_tiny_temperature(name):
    """For w << w_c, J n is eta w_c^{1-s} w^s n, whose integral is T^{s+1} Gamma(s+1) zeta(s+1)."""
    density = PROBLEMS[name].density
    exponent = float(getattr(density, "exponent", 1.0))
    kernel = noise(density, GRID, bx.BoseEinstein(1e-6))
    integral = {0.5: 2.3151573733941, 1.0: 1.6449340668482264, 2.0: 2.4041138063191885}[exponent]
    expected = 0.1 * 2.0 ** (1.0 - exponent) * 1e-6 ** (1.0 + exponent) * integral
    assert kernel[0].real == pytest.approx(expected, rel=2e-6)
    np.testing.assert_allclose(kernel, kernel[0], rtol=2e-4)  # T t << 1


@pytest.mark.parametrize("name", THERMAL)
def test_large_temperature(name):
    """n = T/w - 1/2 + O(w/T)."""
    problem = PROBLEMS[name]
    kernel = noise(problem.density, GRID, bx.BoseEinstein(1e3))
    if name == "Drude-Lorentz":  # the integral of J itself diverges
        expected = 1e3 * 0.1 * 2.0**2 * np.pi / (2 * 2.0)
        assert kernel[0].real == pytest.approx(expected, rel=1e-2)
    else:
        expected = problem.fourier(0.0, lambda w: 1e3 / w - 0.5).real
        assert kernel[0].real == pytest.approx(expected, rel=1e-5)


def test_integrable_densities_have_a_finite_kernel_at_the_start(problem):
    density = problem.density
    assert bool(jnp.isfinite(memory(density, GRID)[0])) == density.integrable
    assert (2.0 * (density + bx.Ohmic(0.1, 2.0))).integrable == density.integrable


def test_drude_lorentz_kernel_is_infinite_at_the_start():
    kernel = memory(PROBLEMS["Drude-Lorentz"].density, GRID)
    assert jnp.isinf(kernel[0].real)
    assert jnp.isfinite(kernel[1:]).all()
    far = memory(bx.DrudeLorentz(0.1, 2.0), TimeGrid(jnp.asarray(1e3), 4))
    times = 1e3 * np.arange(1, 4)  # -eta / t^2 far beyond the cutoff time
    np.testing.assert_allclose(far[1:].real, -0.1 / times**2, rtol=1e-5)


# --- self-energy ------------------------------------------------------------------------------

OFF_SUPPORT = np.array([-0.5 + 0j, 0.9 + 0.4j, -3.0 + 2.0j, 4.0 + 1.0j])


def test_self_energy_against_scipy(problem):
    z = OFF_SUPPORT if problem.lower > -1.0 else OFF_SUPPORT[1:]
    expected = [
        problem.fourier(0.0, lambda w, z=z: (1.0 / (z - w)).real)
        + 1j * problem.fourier(0.0, lambda w, z=z: (1.0 / (z - w)).imag)
        for z in z.tolist()
    ]
    assert relative(self_energy(problem.density, z), expected) < 1e-10


@pytest.mark.parametrize("name", SMOOTH)
def test_self_energy_is_its_own_quadrature(name):
    density = PROBLEMS[name].density
    expected = general_self_energy(density, OFF_SUPPORT)
    assert relative(self_energy(density, OFF_SUPPORT), expected) < 3e-15


def test_self_energy_of_the_ohmic_density_by_the_exponential_integral():
    density = bx.Ohmic(0.1, 5.0)
    q = np.array([-7.0, -0.1, 0.02, 0.6, 8.0, 0.4 + 0.2j, 4j])
    closed = 0.1 * 5.0 * (-1.0 - q * np.exp(-q) * expint1(-q))  # -q is below the cut
    np.testing.assert_allclose(self_energy(density, jnp.asarray(5.0 * q)), closed, rtol=1e-13)


def test_level_shift_is_the_principal_value(problem):
    inside = [w for w in FREQUENCIES if w not in (-1.0, 0.0, 0.4, 0.81, 2.09)]
    expected = [problem.level_shift(w) for w in inside]
    tolerance = 1e-8 if problem.make is PROBLEMS["tabulated"].make else 1e-9
    assert relative(level_shift(problem.density, jnp.asarray(inside)), expected) < tolerance


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name != "tabulated"])
def test_self_energy_above_the_axis_is_shift_and_density(name):
    density = PROBLEMS[name].density
    w = jnp.asarray(FREQUENCIES)
    values = self_energy(density, w.astype(complex))
    expected = -np.pi * jax.jit(density.__call__)(w)
    np.testing.assert_allclose(values.imag, expected, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(values.real, level_shift(density, w))
    # The limit from above, reached linearly.
    above = self_energy(density, FREQUENCIES[2:] + 1e-9j)
    np.testing.assert_allclose(values[2:], above, rtol=0, atol=3e-8)


@pytest.mark.parametrize("name", PROBLEMS)
def test_level_shift_of_one_frequency(name):
    density = PROBLEMS[name].density
    shifts = level_shift(density, jnp.asarray(FREQUENCIES).reshape(2, 5))
    assert shifts.shape == (2, 5)
    assert jnp.isfinite(shifts).all()
    alone = level_shift(density, jnp.asarray(FREQUENCIES[5]))
    assert alone == pytest.approx(float(shifts[1, 0]), rel=1e-13)


# --- batches and words ------------------------------------------------------------------------


@pytest.mark.slow
def test_batch_over_parameters(problem):
    parameters = jnp.asarray(problem.parameters)[None, :] * jnp.asarray([[1.0], [1.1], [0.9]])

    def kernels(parameters):
        density = problem.make(*parameters)
        n = 0.0 if problem.lower < 0.0 else 0.5
        return jnp.stack(
            [density.memory_kernel(GRID), density.noise_kernel(GRID, bx.BoseEinstein(n))]
        )

    batch = jax.jit(jax.vmap(kernels))(parameters)[..., 1:]
    single = jax.jit(kernels)
    for row, expected in zip(parameters, batch, strict=True):
        np.testing.assert_allclose(single(row)[..., 1:], expected, rtol=1e-12, atol=1e-15)


def test_repr_states_the_normalisation(problem):
    text = repr(problem.density)
    assert text.startswith(type(problem.density).__name__ + "(")
    assert text.endswith(f"{problem.density.formula} = sum_k |V_k|^2 delta(w - w_k)")


def test_repr_shows_the_parameters():
    density = 2.0 * (bx.Ohmic(0.1, 5.0) + bx.Lorentzian(0.2, 0.5, 1.0))
    assert repr(density) == (
        "Scaled(density=Sum(terms=(Ohmic(eta=0.1, cutoff=5, exponent=1), "
        "Lorentzian(gamma0=0.2, width=0.5, center=1))), factor=2): "
        "J(w) = factor J_0(w) = sum_k |V_k|^2 delta(w - w_k)"
    )
    assert "w=[0, 1, 2]" in repr(bx.Tabulated([0.0, 1.0, 2.0], [0.0, 1.0, 0.0]))
    jax.jit(lambda density: [repr(density), jnp.zeros(())][1])(density)


@pytest.mark.parametrize("factor", [2, 2.0, np.float64(2.0), jnp.asarray(2.0)])
def test_multiples_from_both_sides(factor):
    density = bx.Ohmic(0.1, 5.0)
    for scaled in (factor * density, density * factor):
        assert float(scaled(jnp.asarray(1.0))) == pytest.approx(2.0 * density(jnp.asarray(1.0)))


def test_parameters_are_traced_leaves(problem):
    leaves = jax.tree.leaves(problem.density)
    assert leaves
    assert all(leaf.dtype == float for leaf in leaves)


def test_sum_of_densities():
    one, other = bx.Ohmic(0.1, 5.0), bx.Lorentzian(0.2, 0.5, 1.0)
    w = jnp.linspace(0.1, 3.0, 7)
    np.testing.assert_allclose(sum([one, other])(w), one(w) + other(w), rtol=1e-15)
    np.testing.assert_allclose((one / 4)(w), 0.25 * one(w), rtol=1e-15)
    with pytest.raises(TypeError):
        1 + one


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_hints_for_time_grids(name):
    density = PROBLEMS[name].density
    low, high = (float(end) for end in density.extent)
    assert low < high
    if density.integrable:
        weight = float(jnp.abs(density.memory_kernel(GRID)[0]))
        assert 0.3 * weight < float(density.weight) < 3.0 * weight
