"""Programs of calls by themselves, and the same functions inside other programs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from jaxtyping import Array

import bathax as bx
from bathax import _loops, _programs
from bathax._programs import compiler_options, inlined, optimised, program


def test_it_is_the_function_alone_and_inside_other_programs():
    doubled = program(lambda x: 2.0 * jnp.sin(x))
    one, two = jnp.asarray(0.3), jnp.asarray([0.3, 0.3])
    expected = pytest.approx(2.0 * float(jnp.sin(0.3)), rel=1e-15)
    assert doubled(one) == expected
    assert jax.jit(doubled)(one) == expected
    assert jax.jit(lambda x: x + doubled(one))(0.0) == expected
    assert jax.vmap(doubled)(two)[1] == expected
    assert jax.lax.fori_loop(0, 1, lambda _, x: x + doubled(one), 0.0) == expected
    with jax.ensure_compile_time_eval():
        assert doubled(one) == expected
    slope = pytest.approx(2.0 * float(jnp.cos(0.3)), rel=1e-15)
    assert jax.grad(doubled)(0.3) == slope
    assert jax.jit(jax.grad(doubled))(0.3) == slope


class Line(eqx.Module):
    slope: Array

    @program
    def __call__(self, x: Array, power: int = 1) -> Array:
        return self.slope * x**power


def test_a_method_takes_modules_and_what_is_no_array():
    line = Line(jnp.asarray(3.0))
    assert line(jnp.asarray(2.0), power=2) == 12.0
    assert jax.grad(lambda line: line(jnp.asarray(2.0)))(line).slope == 2.0


def names(function, *arguments):
    """What a traced function is made of."""
    return {one.primitive.name for one in jax.make_jaxpr(function)(*arguments).eqns}


def wave(x):
    return jnp.where(x > 0.0, jnp.sin(x), x)


def test_operations_are_no_programs_of_their_own():
    assert "jit" in names(wave, 1.0)
    assert names(inlined(wave), 1.0) == {"gt", "sin", "select_n"}
    assert names(inlined(program(optimised(wave))), 1.0) == {"gt", "sin", "select_n"}
    assert inlined(wave)(2.0) == program(wave)(2.0) == optimised(wave)(2.0) == jnp.sin(2.0)


def test_it_ends_with_the_function():
    with pytest.raises(ZeroDivisionError):
        inlined(lambda x: x / 0)(1)
    assert not jax.config.jax_disable_jit
    assert "jit" in names(wave, 1.0)


def test_who_debugs_without_programs_sees_numbers():
    def found(x):
        return _loops.fori_loop(0, 3, lambda k, x: x + float(k), x)

    with jax.disable_jit():
        assert program(found)(1.0) == 4.0
        assert jax.config.jax_disable_jit
    with pytest.raises(jax.errors.ConcretizationTypeError):
        program(found)(1.0)


def test_options_that_the_compiler_does_not_know_are_left_out(monkeypatch):
    monkeypatch.setattr(_programs, "QUICK", {"xla_no_such_option": True})
    assert compiler_options.__wrapped__() == {}


@pytest.mark.slow
@pytest.mark.parametrize("engine", [bx.Volterra, bx.Embedding])
@pytest.mark.parametrize("kind", ["cavity", "modes"])
def test_another_tolerance_takes_the_same_program(kind, engine):
    traced = []

    def density(w: Array) -> Array:
        traced.append(w)
        return 0.1 * w * jnp.exp(-w)

    bath = bx.Reservoir(bx.Function(density), temperature=0.5)
    modes = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0])), bx.Covariance([[0.2]])
    system, initial = (bx.Cavity(1.0, bath), bx.Fock(1)) if kind == "cavity" else modes
    if kind == "cavity" and engine is bx.Embedding:
        system = bx.Cavity(lambda t: 1.0 + 0.1 * t, bath)
    solved = [
        (bx.solve(system, initial, [0.0, 1.0], engine(rtol=rtol, points=256)), len(traced))
        for rtol in (1e-3, 1e-17)
    ]
    assert [int(sol.status) for sol, _ in solved] == [0, 1]
    assert solved[0][1] == solved[1][1]
