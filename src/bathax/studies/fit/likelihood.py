"""The likelihood of data for given parameters of a model, for samplers of its posterior."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from bathax._checks import require, require_kind, shown
from bathax.studies.fit.data import Data, runs_of, together
from bathax.studies.fit.search import Runs


def log_likelihood(
    of: Callable[..., Any], data: Runs, parameters: Mapping[str, Any]
) -> Float[Array, ""]:
    r"""The logarithm of the probability density of data for given parameters of a model.

        ln L = -1/2 \sum [((model - data) / error)^2 + ln(2 pi error^2)]

    for independent normal errors: what a sampler needs beside a prior. `of` and `data` are those of
    `fit`: a function of named parameters that returns a solution, a map or a mapping at the times
    `data.t`, and the `Data` of one run or of several, here always with errors. The sum goes over
    all values, over both parts of complex ones, and leaves out those that are missing.

    It works under `jit`, `vmap` and `grad`. There, a solver in `of` that chooses its size has the
    one that it starts from; if in doubt, give it the size. Where the model does not exist the
    result is NaN, which samplers reject.

    >>> t = np.linspace(0.0, 10.0, 21)
    >>> data = bx.Data(t, energy=(5.0 * np.exp(-0.2 * t), 0.1))
    >>> damped = lambda rate: {"energy": 5.0 * jnp.exp(-rate * data.t)}
    >>> density = jax.jit(lambda rate: bx.log_likelihood(damped, data, {"rate": rate}))
    >>> round(float(density(0.2)), 4)
    29.0566
    >>> round(float((-jax.hessian(density)(0.2)) ** -0.5), 4)  # the standard error, as in a fit
    0.0029
    """
    require("of", "a function of the parameters", shown(of), callable(of))
    for one in runs_of(data):
        require_kind("data", "`Data` of one run, or a list of several", one, Data)
        require("data", "given with errors, as in (values, errors)", "without", one.has_errors)
    require_kind("parameters", "a mapping of names to numbers", parameters, Mapping)
    residuals = together(data, of(**parameters))
    return -0.5 * (jnp.sum(residuals**2) + sum(_normalisation(one) for one in runs_of(data)))


def _normalisation(data: Data) -> Float[Array, ""]:
    """The sum of ln(2 pi error^2) over all values that are not missing."""
    parts = [
        (2.0 if jnp.iscomplexobj(values) else 1.0)
        * jnp.sum(jnp.where(jnp.isnan(values), 0.0, jnp.log(2.0 * jnp.pi * data.errors[name] ** 2)))
        for name, values in data.values.items()
    ]
    return jnp.sum(jnp.stack(parts))
