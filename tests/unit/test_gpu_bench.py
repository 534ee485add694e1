"""What `make bench-gpu` measures, small and on the CPU: batches are right, products are counted."""

import sys
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
gpu = pytest.importorskip("gpu")


def test_flops_of_products_are_counted():
    """8 for a complex multiply and add, 2 for a real one, loops by their length, unused not."""

    def program(a, b):
        unused = b @ b
        del unused
        step = jax.checkpoint(lambda x: x @ x)
        last, _ = jax.lax.scan(lambda x, _: (step(x), None), a.real, length=3)
        return a @ b, last

    a, b = jnp.ones((4, 4), complex), jnp.ones((4, 7), complex)
    traced = jax.jit(program).trace(a, b[:, :4])
    assert gpu.product_flops(traced.jaxpr.jaxpr) == 8 * 4**3 + 3 * 2 * 4**3
    traced = jax.jit(jax.vmap(lambda x: x @ b)).trace(jnp.ones((5, 4), complex))
    assert gpu.product_flops(traced.jaxpr.jaxpr) == 8 * 5 * 4 * 7


def test_blocks_stop_when_time_is_over():
    """One block at least is done, and its results are those of the function."""

    def square(x):
        return {"square": x**2, "status": jnp.zeros((), int)}

    values = np.arange(12.0)
    batch = gpu.in_blocks(square, values, 4, time.perf_counter())
    assert (batch.done, batch.failed) == (4, 0)
    np.testing.assert_array_equal(batch.first["square"], values[:4] ** 2)
    assert gpu.in_blocks(square, values, 4, time.perf_counter() + 60.0).done == 12


def test_differences_at_poles_of_the_temperature_do_not_count():
    expected = {"u": np.array([1.0, 2.0]), "temperature": np.array([1.0, 1e9])}
    found = {"u": np.array([1.0, 2.2]), "temperature": np.array([1.0, -1e9])}
    errors = {"temperature_error": np.array([1e-12, 1e9])}
    assert gpu.difference(found, expected, errors) == pytest.approx(0.1)
    errors = {"temperature_error": np.zeros(2)}
    assert gpu.difference(found, expected, errors) == pytest.approx(2.0)


@pytest.mark.slow
def test_small_form(capsys):
    """All of it is done, equal to one by one, and right by methods of another kind."""
    parts = gpu.measure(gpu.SMALL, 400.0)
    assert [part.done for part in parts] == [part.wanted for part in parts]
    assert all(part.failed == 0 for part in parts)
    assert all(part.off_cpu < 1e-10 for part in parts)
    for part, bound in zip(parts, (1e-9, 1e-8, 2e-4, 1e-10), strict=True):
        assert part.off_reference < bound, part
    assert parts[1].flops > parts[0].flops > 0.0
    assert "| thermal qubit" in capsys.readouterr().out
    assert not any(isinstance(one, threading.Timer) for one in threading.enumerate())
