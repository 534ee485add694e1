"""The generator of a hierarchy, a bound on its norm, and where its spectrum is."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax._checks import Scalar
from bathax._programs import optimised
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.faber import Ellipse, measured
from bathax.numerics.sparse import SparseMatrix
from bathax.qubit.index_set import Size
from bathax.qubit.structure import Structure


def generator(frequency: Scalar, modes: ReducedModes, pattern: Structure) -> SparseMatrix:
    """The generator with the pattern given, for any arrangement of charges, adjoint or not."""
    leading = modes.leading(pattern.modes)
    vectors = jnp.concatenate([leading.output, *leading.excited])
    damping = leading.generator.ravel()
    driving = jnp.concatenate([vectors, vectors.conj(), frequency.astype(complex)[None]])
    parameters = jnp.concatenate([damping, damping.conj(), -1j * driving])
    return SparseMatrix.of(pattern.pattern, parameters)


def norm_bound(frequency: Scalar | np.ndarray, modes: ReducedModes, size: Size) -> Any:
    r"""An upper bound on the norm of the generator, about twice that norm.

    The quanta of both sides weigh at most `depth`, so that |d'A d + e'A* e| is at most depth |A'|
    with A'_jk = A_jk / \sqrt{w_j w_k}, and \sqrt{depth} bounds a single d or e of a normalised
    mode. For arrays of JAX or NumPy.
    """
    depth, weights = size
    root = np.sqrt(np.array(weights))
    count = len(weights)
    damping = abs(modes.generator[:count, :count]) / (root[:, None] * root[None, :])
    damping = (damping.sum(axis=0).max() * damping.sum(axis=1).max()) ** 0.5
    # A commutator with s+ has norm sqrt(2), and so has the sum over the two sides.
    down = 2.0 * ((abs(modes.output[:count]) / root) ** 2).sum() ** 0.5
    up = (
        2.0**0.5 * (((abs(modes.excited[:, :count]) / root[None, :]) ** 2).sum(axis=1) ** 0.5).sum()
    )
    return frequency + depth * damping + depth**0.5 * (down + up)


def ellipse(frequency: Scalar, modes: ReducedModes, size: Size) -> Ellipse:
    r"""About the ellipse that contains the spectrum of the generator in a hierarchy of this size.

    The damping lies between the smallest and the largest eigenvalues of the parts of A', see
    `norm_bound`, times the depth. The hops add to the imaginary part. Spectra of truncated
    hierarchies reach 0.5 to 1.3 times these axes, see `faber.measured`.
    """
    depth, weights = size
    root = jnp.sqrt(jnp.asarray(weights))
    return _ellipse(frequency, modes.leading(len(weights)), jnp.asarray(float(depth)), root)


def spectrum(matrix: SparseMatrix, frequency: Scalar, modes: ReducedModes, size: Size) -> Ellipse:
    """The ellipse of a generator, the largest of whose hierarchies has this size, as measured."""
    found = measured(matrix, ellipse(frequency, modes, size))
    depth, weights = size
    rates = jnp.diagonal(modes.generator)[: len(weights)] / np.array(weights, complex)
    return found.containing(-depth * rates)


@optimised
def _ellipse(
    frequency: Scalar, modes: ReducedModes, depth: Scalar, root: Float[Array, " modes"]
) -> Ellipse:
    damping = modes.generator / (root[:, None] * root[None, :]).astype(complex)
    adjoint = damping.conj().T
    parts = jnp.stack([damping + adjoint, (damping - adjoint) * 1j])
    real, imaginary = 0.5 * depth * jnp.max(jnp.abs(jnp.linalg.eigvalsh(parts)), axis=1)
    vectors = jnp.concatenate([modes.output[None], modes.excited])
    hops = jnp.sqrt(jnp.sum((jnp.abs(vectors) / root[None, :]) ** 2, axis=1))
    hops = jnp.sqrt(depth) * (2.0 * hops[0] + 2.0**0.5 * jnp.sum(hops[1:]))
    imaginary = jnp.hypot(0.8 * imaginary, 0.5 * hops) + jnp.abs(frequency)
    return Ellipse(0.6 * real + 0.03 * hops, imaginary).containing(-depth * jnp.diagonal(damping))
