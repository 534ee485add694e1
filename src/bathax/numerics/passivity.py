r"""Coordinates of modes in which thermal noise makes nothing grow.

The kernel k(t) = o . e^{-At} a of stationary noise has a spectrum Re o . (A - i w)^{-1} a >= 0.
Then there are coordinates x -> T x of the modes in which they are damped, and driven as they are
seen,

A + A' >= 0,    a = o',

with ' for the adjoint, or A'X + XA >= 0 and X a = o' for X = T'T (the lemma of Kalman, Yakubovich
and Popov: the kernel is passive). The hierarchy of a qubit that this noise drives is then
dissipative, with any number of quanta; in other coordinates its elements grow once it is truncated.

Kernels that were approximated are not quite passive, so that white noise of strength r is added
for the choice of X. The least and the largest X, X_1 and X_2, solve Riccati's equation

A'X + XA = (o' - X a) (o' - X a)' / 2 r.

The sign of its Hamiltonian matrix

H = [[-A, 0], [0, A']] + (a, o')^T (-o, a') / 2 r

has P = 2 (X_2 - X_1)^{-1} above the diagonal and -Q = -2 (X_1^{-1} - X_2^{-1})^{-1} below. X is the
geometric mean of X_1 and X_2, which is that of P^{-1} and Q: it treats past and future alike, so
that |a| = |o|. Signs of matrices give means and roots, too: that of [[0, Q], [P, 0]] has X above
the diagonal, that of [[0, X], [1, 0]] has T above and T^{-1} below.
"""

import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import block_diag
from jaxtyping import Array, Complex, Float

from bathax import _loops
from bathax._checks import Scalar
from bathax._linalg import one_by_one
from bathax.numerics.balancing import ReducedModes

# The coordinates of so many modes are changed; those of later ones hardly matter.
LEADING = 8
# The white noise: so many times the rate of the first mode, if all noise is thermal, and more the
# less there is; and this part of the largest spectrum of a mode.
WHITE, PART = 0.8, 0.05
# P and Q are increased by this, which leaves coordinates as they are where noise is weak.
LEVEL = 0.05
# The most steps of Newton's iteration for a sign, of which some 8 are needed, and the error that is
# accepted; otherwise coordinates stay as they are.
STEPS, ACCEPTED = 12, 1e-6


def passive(modes: ReducedModes, strength: Scalar) -> ReducedModes:
    """The same two kernels, of emission and of absorption, in coordinates for thermal noise.

    They are those for kernels `strength` times as large. The noise is the mean of both; T is
    constant to differentiation. Where nothing is absorbed, at T = 0, or where the noise has no
    positive spectrum, the modes are returned as they are.
    """
    size = modes.weight.shape[0]
    leading = modes.leading(min(LEADING, size))
    found = one_by_one(_coordinates)(leading, _scale(leading, strength))
    change, inverse = (_beside_unit(block, size) for block in found)
    return ReducedModes(
        change @ modes.generator @ inverse,
        modes.output @ inverse,
        modes.excited @ change.T,
        modes.weight,
        modes.reduced,
    )


def _beside_unit(block: Complex[Array, "n n"], size: int) -> Complex[Array, "all all"]:
    n = block.shape[0]
    return jnp.eye(size, dtype=complex).at[:n, :n].set(block)


def _coordinates(
    modes: ReducedModes, scale: Scalar
) -> tuple[Complex[Array, "n n"], Complex[Array, "n n"]]:
    """T and its inverse."""
    n = modes.weight.shape[0]
    unit, zero = jnp.eye(n, dtype=complex), jnp.zeros((n, n), complex)

    def of_sign(matrix: Array, of_hamiltonian: Array) -> tuple[Array, Array]:
        """The sign of a matrix, and the matrix whose sign comes next."""
        sign = _sign(matrix)
        above, below = sign[:n, n:], sign[n:, :n]
        right = jnp.where(of_hamiltonian, LEVEL * unit - below, above)
        left = jnp.where(of_hamiltonian, LEVEL * unit + above, unit)
        return jnp.block([[zero, right], [left, zero]]), sign

    start = _hamiltonian(modes, scale)
    _, (first, _, last) = _loops.scan(of_sign, start, jnp.array([True, False, False]))
    exists = jnp.max(jnp.abs(first @ first[:, 0] - jnp.eye(2 * n, dtype=complex)[0])) < ACCEPTED
    return jnp.where(exists, last[:n, n:], unit), jnp.where(exists, last[n:, :n], unit)


def _scale(modes: ReducedModes, strength: Scalar) -> Scalar:
    """|o a| / 2 r in units of the first rate, of kernels `strength` times as large.

    Rounded, so that coordinates do not change with a little more coupling, as derivatives assume.
    """
    noise, rates, size = _of_noise(modes)
    emitted, absorbed = strength * jnp.abs(modes.excited @ modes.output)
    total = strength * jnp.abs(modes.output @ noise)
    # r times the part of the noise that is absorbed.
    largest = strength * jnp.max(size / _or_one(rates))
    white = WHITE * rates[0] * emitted + PART * largest * absorbed
    octaves = jnp.log2(0.5 * absorbed * total / _or_one(rates[0] * white))
    return jnp.exp2(0.5 * jnp.round(2.0 * octaves))


def _of_noise(modes: ReducedModes) -> tuple[Array, Array, Array]:
    """What drives the modes, their rates, and how much each contributes."""
    noise, unit = jnp.mean(modes.excited, axis=0), jnp.eye(modes.output.shape[0], dtype=complex)
    rates = jnp.abs(jnp.sum(modes.generator * unit, axis=1))
    return noise, rates, jnp.abs(modes.output * noise)


def _hamiltonian(modes: ReducedModes, scale: Scalar) -> Complex[Array, "both both"]:
    """The matrix H of Riccati's equation."""
    noise, rates, size = _of_noise(modes)
    column = jnp.concatenate([noise, modes.output.conj()])
    row = jnp.concatenate([-modes.output, noise.conj()])
    # Modes that are not there are damped.
    unit = jnp.eye(size.shape[0], dtype=complex)
    damped = modes.generator + jnp.where(size == 0.0, unit, jnp.zeros_like(unit))
    total = _or_one(jnp.abs(modes.output @ noise))
    exchange = (scale * rates[0] / total).astype(complex) * jnp.outer(column, row)
    return block_diag(-damped, damped.conj().T) + exchange


def _or_one(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """x, or 1 where it vanishes."""
    return jnp.where(x > 0.0, x, 1.0)


def _sign(matrix: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """The matrix with the same eigenvectors whose eigenvalues are the signs of the real parts."""
    probe = jnp.ones(matrix.shape[0], complex)

    def closer(now: Array, _: None) -> tuple[Array, None]:
        # By QR, because the permutation of LU is a loop that takes long to compile.
        q, r = jnp.linalg.qr(now)
        inverse = lax.linalg.triangular_solve(r, q.conj().T, left_side=True)
        small, large = (jnp.sum(jnp.abs(each @ probe)) for each in (inverse, now))
        scale = jnp.sqrt(small / large).astype(complex)
        return 0.5 * (scale * now + inverse / scale), None

    return _loops.scan(closer, matrix, length=STEPS)[0]
