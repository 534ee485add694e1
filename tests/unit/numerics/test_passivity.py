"""Coordinates of modes for thermal noise: kernels stay, noise is dissipative, nothing grows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import bathax as bx
from bathax.numerics import passivity
from bathax.numerics.balancing import ReducedModes, reduced_modes
from bathax.qubit import modes as qubit_modes

TS, ONE = jnp.linspace(0.0, 20.0, 41), jnp.ones(())


def balanced(eta, kT):
    """The modes of an Ohmic reservoir by balanced truncation, without the rounded ones."""
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), kT))
    nodes, memory, noise = qubit.exponentials(512)
    kernels = jnp.stack([memory + noise, noise])
    rate = jnp.asarray(16.0 + 1.0j)
    return reduced_modes(nodes, kernels, TS[-1], 30, response=rate).leading(20)


def kernels(modes, t):
    """o e^{-At} a of each kernel."""
    evolved = expm(-np.asarray(modes.generator) * t)
    return np.asarray(modes.output) @ evolved @ np.asarray(modes.excited).T


@pytest.mark.parametrize(("eta", "kT"), [(0.5, 20.0), (0.1, 5.0), (0.2, 0.2)])
def test_the_kernels_stay(eta, kT):
    before = balanced(eta, kT)
    after = passivity.passive(before, ONE)
    for t in (0.0, 0.1, 1.0, 20.0):
        np.testing.assert_allclose(kernels(after, t), kernels(before, t), rtol=0.0, atol=1e-10)


def test_strong_thermal_noise_drives_modes_as_it_is_seen():
    before = balanced(0.5, 20.0)
    after = passivity.passive(before, ONE)

    def mismatch(modes):
        """How far o and the adjoint of a are from each other, in any scale."""
        seen, driven = np.asarray(modes.output), np.asarray(modes.excited).mean(axis=0).conj()
        overlap = np.abs(np.vdot(seen, driven)) / np.linalg.norm(seen) / np.linalg.norm(driven)
        return 1.0 - overlap**2

    assert mismatch(after) < 0.5 * mismatch(before)
    size = np.linalg.norm(after.output), np.linalg.norm(np.asarray(after.excited).mean(axis=0))
    assert size[0] == pytest.approx(size[1], rel=0.05)
    generator = np.asarray(after.generator)
    damping = np.linalg.eigvalsh(generator + generator.conj().T)
    assert damping[0] > -0.01 * damping[-1]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_without_absorption_or_a_positive_spectrum_the_modes_stay(sign):
    before = balanced(0.5, 20.0)
    factors = jnp.array([[1.0], [0.0]]) if sign > 0.0 else jnp.array([[1.0], [-3.0]])
    changed = ReducedModes(
        before.generator,
        before.output,
        before.excited * factors.astype(complex),
        before.weight,
        True,
    )
    after = passivity.passive(changed, ONE)
    np.testing.assert_allclose(after.generator, changed.generator, rtol=0.0, atol=1e-9)


def test_single_members_and_batches_agree():
    def output(eta):
        return passivity.passive(balanced(eta, 20.0), ONE).output[:12]

    etas = jnp.array([0.05, 0.5])
    together = jax.jit(jax.vmap(output))(etas)
    np.testing.assert_allclose(together, jnp.stack([output(eta) for eta in etas]), atol=1e-7)


@pytest.mark.slow
def test_the_map_does_not_depend_on_coordinates(monkeypatch):
    # The other coordinates let elements grow, but only later.
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.2, 5.0), 20.0))
    ts = jnp.linspace(0.0, 2.0, 21)
    here = bx.dynamical_map(qubit, ts)
    with monkeypatch.context() as changed:
        changed.setattr(qubit_modes, "passive", lambda modes, _: modes)
        jax.clear_caches()
        there = bx.dynamical_map(qubit, ts)
    jax.clear_caches()
    for name in ("p11", "p00", "coherence"):
        np.testing.assert_allclose(getattr(here, name), getattr(there, name), atol=2e-5)


@pytest.mark.slow
def test_a_hot_strong_reservoir_is_answered():
    # Hierarchies of depth 18 in other coordinates grow by 30 orders of magnitude here.
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.5, 5.0), 20.0))
    found = bx.dynamical_map(qubit, TS, bx.Hierarchy(rtol=3e-3))
    assert int(found.status) == 0
    assert float(found.p11[-1]) == pytest.approx(0.48923, abs=1e-3)
    assert float(jnp.max(jnp.abs(found.determinant))) <= 1.0
