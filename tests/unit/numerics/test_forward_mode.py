"""Derivatives along one and several numbers, held against those of the undecorated function."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.forward_mode import derivatives_of_operations, forward_differentiated


class Wave(eqx.Module):
    """Some numbers, one of them complex, that a function depends on."""

    frequency: jax.Array
    amplitudes: jax.Array
    phase: jax.Array


def wave(about, ts, name):
    """A complex and a real result, and one without derivatives."""
    assert name == "static"
    angle = about.frequency * ts
    z = jax.lax.complex(jnp.cos(angle), -jnp.sin(angle)) * about.phase
    return {
        "z": z * jnp.sum(about.amplitudes**2).astype(complex),
        "size": jnp.abs(jnp.sin(about.frequency) * ts) + about.amplitudes[0],
        "count": jnp.sum(ts > about.frequency),
    }


decorated = forward_differentiated(wave)
TS = jnp.linspace(0.1, 3.0, 7)


def example(parts):
    amplitudes = jnp.arange(1.0, 1.0 + parts)
    return Wave(jnp.asarray(0.7), amplitudes, jnp.asarray(0.6 + 0.8j))


def total(function, frequency, amplitudes, ts=TS, phase=0.6 + 0.8j):
    found = function(Wave(frequency, amplitudes, jnp.asarray(phase)), ts, "static")
    return jnp.sum(jnp.sin(found["z"].real) * found["size"] + found["z"].imag)


def agree(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13), one, other)


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("mode", [jax.grad, jax.jacfwd, jax.jacrev])
def test_derivatives_are_those_of_the_function(mode, parts):
    about = example(parts)
    for arguments in (0, (0, 1)):
        wanted, found = (
            mode(lambda w, a, f=f: total(f, w, a), arguments)(about.frequency, about.amplitudes)
            for f in (wave, decorated)
        )
        agree(found, wanted)


def test_second_derivatives_batches_and_times():
    about = example(2)
    several = jnp.linspace(0.5, 1.5, 4)
    for derivative in (
        lambda f: jax.hessian(lambda w, a: total(f, w, a), (0, 1))(
            about.frequency, about.amplitudes
        ),
        lambda f: jax.vmap(jax.grad(lambda w: total(f, w, about.amplitudes)))(several),
        lambda f: jax.jit(jax.vmap(jax.grad(lambda w: total(f, w, several))))(several),
        lambda f: jax.grad(lambda t: total(f, about.frequency, about.amplitudes, t))(TS),
        lambda f: jax.grad(lambda w: jax.grad(lambda v: total(f, v, about.amplitudes))(w) ** 2)(
            about.frequency
        ),
    ):
        agree(derivative(decorated), derivative(wave))


def test_with_respect_to_a_complex_number():
    about = example(2)
    wanted, found = (
        jax.grad(
            lambda x, f=f: total(
                f, about.frequency, about.amplitudes, phase=jax.lax.complex(x, 2.0 * x)
            )
        )(0.3)
        for f in (wave, decorated)
    )
    agree(found, wanted)


def test_traces_of_which_parts_are_taken_have_no_rule():
    def names():
        traced = jax.make_jaxpr(lambda w: total(decorated, w, jnp.ones(2)))(0.7)
        return {one.primitive.name for one in traced.eqns}

    assert "custom_jvp_call" in names()
    with derivatives_of_operations():
        assert "custom_jvp_call" not in names()
    assert "custom_jvp_call" in names()
