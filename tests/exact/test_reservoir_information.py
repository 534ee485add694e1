"""Mutual information of a system and its reservoirs, against wholes that are diagonalised."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

ETA, CENTER, HALF, LEVEL = 0.15, 2.0, 1.0, 1.8
TS = np.array([0.0, 1.0, 3.0, 10.0, 30.0])


def band(T):
    """A cavity at the end of a chain of coupled cavities."""
    J = bx.SemicircleBand(ETA, CENTER, HALF)
    return bx.Cavity(LEVEL, bx.Reservoir(J, temperature=T))


def entropy(n):
    n = np.maximum(n, 1e-300)
    return (1.0 + n) * np.log1p(n) - n * np.log(n)


def chain(count=240):
    """The eigenmodes of a chain, with their couplings to the cavity at its end."""
    angle = np.pi * np.arange(1, count + 1) / (count + 1)
    couplings = np.sqrt(2.0 * ETA / (count + 1)) * np.sin(angle)
    return CENTER + HALF * np.cos(angle), couplings


def diagonalised(start, T):
    """I and the change of S_R, from the covariance of all modes at each time."""
    w, couplings = chain()
    H = np.diag(np.append(LEVEL, w))
    H[0, 1:] = H[1:, 0] = couplings
    e, vectors = np.linalg.eigh(H)
    n = np.append(start, 1.0 / np.expm1(w / T) if T else np.zeros_like(w))
    for t in TS:
        U = (vectors * np.exp(-1j * e * t)) @ vectors.T
        whole = (U * n) @ U.conj().T
        reservoir = entropy(np.linalg.eigvalsh(whole[1:, 1:])).sum()
        total = reservoir + entropy(whole[0, 0].real) - entropy(n).sum()
        yield total, reservoir - entropy(n[1:]).sum()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "T", "displacement"), [(1.3, 0.7, 0.0), (0.0, 0.7, 0.5 + 1.0j), (0.8, 0.0, 0.0)]
)
def test_gaussian_states(start, T, displacement):
    """Displacements carry no information."""
    found = bx.reservoir_information(band(T), bx.Gaussian(displacement, start), TS)
    assert found.status == 0
    mutual, change = np.transpose(list(diagonalised(start, T)))
    true = np.abs(found.mutual_information - mutual), np.abs(found.reservoir_entropy - change)
    np.testing.assert_allclose(found.mutual_information, mutual, atol=1e-8)
    np.testing.assert_allclose(found.reservoir_entropy, change, atol=1e-8)
    # Rounding of 240 entropies is in the numbers of comparison.
    assert np.all(true[0] <= 10.0 * found.error.mutual_information + 1e-12)
    assert np.all(true[1] <= 10.0 * found.error.reservoir_entropy + 1e-12)


def test_alike_reservoirs_stay_uncorrelated():
    """Where all modes have the same n, nothing changes at all."""
    bath = bx.Reservoir(bx.SemicircleBand(ETA, CENTER, HALF), occupation=bx.Uniform(0.6))
    found = bx.reservoir_information(bx.Cavity(LEVEL, bath), bx.Thermal(0.6), TS)
    np.testing.assert_allclose(found.mutual_information, 0.0, atol=1e-8)
    np.testing.assert_allclose(found.reservoir_entropy, 0.0, atol=1e-8)


def emitted(rho, u):
    """S and S_R from the state of the whole: an atom and the one collective mode it emits to."""
    lost = np.sqrt(1.0 - abs(u) ** 2)
    # |0> -> |00>, |1> -> u |10> + lost |01>, in the basis atom x mode.
    isometry = np.zeros((4, 2), complex)
    isometry[0, 0], isometry[2, 1], isometry[1, 1] = 1.0, u, lost
    whole = (isometry @ rho @ isometry.conj().T).reshape(2, 2, 2, 2)

    def S(matrix):
        p = np.linalg.eigvalsh(matrix)
        p = p[p > 1e-300]
        return -(p * np.log(p)).sum()

    own, mode = S(np.einsum("ajbj->ab", whole)), S(np.einsum("jajb->ab", whole))
    return own + mode - S(whole.reshape(4, 4)), mode


@pytest.mark.parametrize("bloch", [(0.0, 0.0, 1.0), (0.6, 0.2, 0.5), (0.0, 0.0, -1.0)])
def test_a_qubit_in_the_vacuum(bloch):
    """u(t) of a Lorentzian (AHZ Eq. 24), and the state of the whole from it."""
    gamma, width, state = 1.0, 0.2, bx.Bloch(*bloch)
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Lorentzian(gamma, width, 1.0)))
    found = bx.reservoir_information(qubit, state, TS)
    G = np.sqrt(complex(width**2 - 2.0 * gamma * width))
    u = np.exp(-0.5 * width * TS) * (np.cosh(0.5 * G * TS) + width / G * np.sinh(0.5 * G * TS))
    mutual, change = np.transpose([emitted(np.asarray(state.rho), x) for x in u])
    np.testing.assert_allclose(found.mutual_information, mutual, atol=1e-8)
    np.testing.assert_allclose(found.reservoir_entropy, change, atol=1e-8)
    true = np.abs(found.mutual_information - mutual)
    assert np.all(true <= 10.0 * found.error.mutual_information + 1e-14)


@pytest.mark.slow
def test_a_photon_is_shared_like_an_excited_atom():
    """And where Gaussian states and loss both apply they agree."""
    J = bx.Reservoir(bx.Lorentzian(1.0, 0.2, 1.0))
    ts = TS[:4]
    photon = bx.reservoir_information(bx.Cavity(1.0, J), bx.Fock(1), ts)
    atom = bx.reservoir_information(bx.Qubit(1.0, J), bx.Excited(), ts)
    np.testing.assert_allclose(photon.mutual_information, atom.mutual_information, atol=1e-9)
    # The same thermal state, once as populations of Fock states.
    p = 0.5 ** jnp.arange(1.0, 61.0)
    mixed = bx.reservoir_information(band(0.0), bx.Mixture(p / p.sum()), ts)
    thermal = bx.reservoir_information(band(0.0), bx.Thermal(1.0), ts)
    np.testing.assert_allclose(mixed.mutual_information, thermal.mutual_information, atol=1e-8)


@pytest.mark.slow
def test_the_end():
    """The limit of late times; it vanishes with the coupling, and not before."""
    late = list(diagonalised(1.3, 0.7))[-1][0]
    assert float(bx.long_time_information(band(0.7))) == pytest.approx(late, abs=3e-5)
    at = jax.jit(
        jax.vmap(
            lambda eta: bx.long_time_information(
                bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=20.0))
            )
        )
    )
    found = at(0.2 * jnp.array([1e-3, 1e-2, 0.5, 1.5, 1.0, 0.0]))
    # About the coupling in units of the critical one.
    np.testing.assert_allclose(found[:2], [1e-3, 1e-2], rtol=0.01)
    assert found[2] > 0.69
    # Neither with a bound state nor at the critical coupling nor without one is there an end.
    assert jnp.isnan(found[3:]).all()
    assert float(bx.long_time_information(band(0.0))) == pytest.approx(0.0, abs=1e-14)


def test_what_is_refused():
    for state in (bx.Fock(2), bx.Squeezed(0.5)):
        with pytest.raises(ValueError, match="without squeezing"):
            bx.reservoir_information(band(1.0), state, TS)
    with pytest.raises(ValueError, match="a state of a Cavity"):
        bx.reservoir_information(band(0.0), bx.Excited(), TS)
    assert bx.reservoir_information(band(0.0), bx.Squeezed(0.5), TS[:3]).status == 0


@pytest.mark.slow
def test_under_jit_vmap_and_grad():
    """In a batch the squeezed and the invalid are NaN, and the others as they are."""

    def at(start, squeezing):
        state = bx.Gaussian(0.0, start, squeezing)
        return bx.reservoir_information(band(0.7), state, TS[:3]).mutual_information[-1]

    found = jax.jit(jax.vmap(at))(jnp.array([1.3, 1.3, -1.0]), jnp.array([0.0, 0.5, 0.0]))
    assert jnp.isnan(found[1:]).all()
    expected = list(diagonalised(1.3, 0.7))[2][0]
    np.testing.assert_allclose(found[0], expected, atol=1e-8)
    slope = jax.grad(lambda start: at(start, 0.0))(1.3)
    ends = [list(diagonalised(start, 0.7))[2][0] for start in (1.3 + 1e-4, 1.3 - 1e-4)]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-4, rtol=1e-5)
