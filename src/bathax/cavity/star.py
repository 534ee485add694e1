r"""A cavity coupled to separate modes, in the subspace of one quantum.

The quantum is in the cavity or in one of N modes, with the (N + 1) x (N + 1) Hamiltonian

H_00 = w_s,  H_0k = V_k,  H_kk = w_k.

Because the model is quadratic this gives a(t) = sum_j y_j(t) b_j(0), b_0 = a, with the row
y_j = (e^{-iHt})_0j: u = y_0 and v = sum_k n_k |y_k|^2. One diagonalisation serves all times.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.elementary import phase_factor
from bathax.system.system import System

# Eigenvalues closer than this, relative to the largest one, count as degenerate.
DEGENERATE = 1e-12


def hamiltonian(
    system: System, w: Float[Array, " modes"], couplings: Float[Array, " modes"]
) -> Float[Array, "states states"]:
    """H in the frame rotating with the system."""
    diagonal = jnp.diag(jnp.append(0.0, w - system.frequency))
    return diagonal.at[0, 1:].set(couplings).at[1:, 0].set(couplings)


@jax.custom_jvp
def row(
    h: Float[Array, "states states"], ts: Float[Array, " times"]
) -> Complex[Array, "times states"]:
    """The first row of e^{-iHt}, for symmetric H."""
    energies, vectors = jnp.linalg.eigh(h)
    phases = phase_factor(-ts[:, None] * energies[None, :])
    return (phases * vectors[0].astype(complex)[None, :]) @ vectors.T.astype(complex)


@row.defjvp
def _row_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Divided differences in the eigenbasis (Daleckii and Krein), finite where eigenvalues coincide:
    # (e^{-ixt} - e^{-iyt}) / (x - y) = -it e^{-i(x+y)t/2} sinc((x-y)t/2).
    (h, ts), (dh, dts) = primals, tangents
    energies, vectors = jnp.linalg.eigh(h)
    perturbed = vectors.T @ dh @ vectors
    middle = 0.5 * (energies[:, None] + energies[None, :])
    half = 0.5 * (energies[:, None] - energies[None, :])

    def change(t: Scalar) -> Complex[Array, " states"]:
        differences = phase_factor(-middle * t) * (t * jnp.sinc(half * t / jnp.pi)).astype(complex)
        turned = (perturbed.astype(complex) * differences) @ vectors[0].astype(complex)
        return -1j * (vectors.astype(complex) @ turned)

    value = row(h, ts)
    drift = -1j * (value @ h.astype(complex))
    return value, _loops.map(change, ts) + drift * dts.astype(complex)[:, None]


# --- for all times -------------------------------------------------------------------------------


def eigenstates(
    system: System,
) -> tuple[Float[Array, " states"], Float[Array, " states"], Bool[Array, " states"]]:
    """All eigenfrequencies, the weight of the system in each, and which of them count.

    Of degenerate ones the first has the whole weight; the others are NaN with weight 0.
    """
    w, couplings, _ = system.modes
    energies, vectors = jnp.linalg.eigh(hamiltonian(system, w, couplings))
    same = _same(energies)
    first = jnp.argmax(same, axis=1) == jnp.arange(energies.shape[0])
    weights = jnp.where(first, same.astype(float) @ vectors[0] ** 2, 0.0)
    frequencies = jnp.where(first, energies + system.frequency, jnp.nan)
    return frequencies, weights, first


def mean_noise(system: System) -> Scalar:
    """v averaged over all times, sum_j n_j sum_kl c_0k c_jk c_0l c_jl over w_k = w_l."""
    w, couplings, numbers = system.modes
    energies, vectors = jnp.linalg.eigh(hamiltonian(system, w, couplings))
    amplitudes = vectors[0][None, :] * vectors[1:]
    pairs = amplitudes @ _same(energies).astype(float)
    return numbers @ jnp.sum(pairs * amplitudes, axis=1)


def _same(energies: Float[Array, " states"]) -> Bool[Array, "states states"]:
    largest = jnp.max(jnp.abs(energies))
    return jnp.abs(energies[:, None] - energies[None, :]) <= DEGENERATE * largest
