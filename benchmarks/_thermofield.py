"""The map of a qubit at short times from a wave function: a second route, for checks.

A thermal reservoir is the vacuum of two: modes a of J (n + 1), and modes b of J n with negative
energy (the thermofield double),

H = w_s s+s- + sum w a'a - sum w b'b + s+ (sum g a + sum f b') + h.c.

Gauss rules of the two densities give the modes, and the state has up to so many quanta. Nothing is
shared with the hierarchy: no density matrix, no sums of exponentials, no adjoint equation.
"""

from itertools import combinations_with_replacement

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.sparse import bmat, csr_matrix, diags, identity, kron
from scipy.sparse.linalg import expm_multiply

# Points of the rule from which Gauss rules follow, and their range in units of the cutoff: beyond
# it 1e-7 of an Ohmic reservoir is left, and more would need more modes.
POINTS, RANGE = 3000, 16.0


def gauss(density, count, cutoff):
    """Frequencies and couplings of the Gauss rule of a density on w > 0, by Lanczos' algorithm."""
    x, weights = np.polynomial.legendre.leggauss(POINTS)
    # Squared, so that points are denser at small frequencies.
    root = 0.5 * np.sqrt(RANGE * cutoff) * (x + 1.0)
    w, masses = root**2, 0.5 * np.sqrt(RANGE * cutoff) * weights * 2.0 * root
    masses = masses * density(w)
    basis, diagonal, beside = [np.sqrt(masses / masses.sum())], [], []
    for _ in range(count):
        now = basis[-1]
        diagonal.append(now @ (w * now))
        after = w * now
        for _ in range(2):
            after = after - np.array(basis).T @ (np.array(basis) @ after)
        beside.append(np.linalg.norm(after))
        basis.append(after / beside[-1])
    frequencies, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    return frequencies, np.sqrt(masses.sum()) * np.abs(vectors[0])


def levels(frequencies, couplings, most):
    """Energies of the states of 0, 1, ... quanta, and sum_k g_k b_k from each to the one below."""
    count = len(frequencies)
    states = [list(combinations_with_replacement(range(count), n)) for n in range(most + 1)]
    places = [{state: k for k, state in enumerate(each)} for each in states]
    energies = [np.array([frequencies[list(s)].sum() for s in each]) for each in states]
    lowering = []
    for n in range(1, most + 1):
        entries = [
            (places[n - 1][_without(state, k)], at, couplings[k] * np.sqrt(state.count(k)))
            for at, state in enumerate(states[n])
            for k in set(state)
        ]
        row, column, value = zip(*entries, strict=True)
        lowering.append(csr_matrix((value, (row, column)), (len(states[n - 1]), len(states[n]))))
    return energies, lowering


def _without(state, k):
    at = state.index(k)
    return state[:at] + state[at + 1 :]


def sector(excited, splitting, a, b, most):
    """H among the states that |1> or |0> without quanta leads to, and where |1> and |0> are.

    The blocks have n quanta in a and m in b; n - m is 0, or 1 more or less once the qubit changed.
    """
    (energy_a, lower_a), (energy_b, lower_b) = a, b
    shift = 1 if excited else -1
    same = [(excited, n, n) for n in range(most + 1) if 2 * n <= most]
    other = [(not excited, n + shift, n) for n in range(most + 1)]
    other = [(s, n, m) for s, n, m in other if n >= 0 and n + m <= most]
    keys = same + other
    place = {key: k for k, key in enumerate(keys)}
    rows = [[None] * len(keys) for _ in keys]
    for k, (up, n, m) in enumerate(keys):
        energy = np.add.outer(energy_a[n], -energy_b[m]).ravel() + splitting * up
        rows[k][k] = diags(energy)
        for target, block in (
            ((True, n - 1, m), lambda n=n, m=m: kron(lower_a[n - 1], identity(len(energy_b[m])))),
            ((True, n, m + 1), lambda n=n, m=m: kron(identity(len(energy_a[n])), lower_b[m].T)),
        ):
            if not up and target in place:
                hop = block()
                rows[place[target]][k], rows[k][place[target]] = hop, hop.T
    sizes = [len(energy_a[n]) * len(energy_b[m]) for _, n, m in keys]
    ends = np.cumsum(sizes)
    places = zip(keys, ends, sizes, strict=True)
    kept = {key[1:]: slice(end - size, end) for key, end, size in places if key[0] == excited}
    return bmat(rows, "csr"), kept


def short_map(density, occupation, cutoff, ts, modes, quanta, splitting=1.0):
    """P11, P00 and c at evenly spaced times ts from 0 on."""
    a = levels(*gauss(lambda w: density(w) * (occupation(w) + 1.0), modes, cutoff), quanta)
    b = levels(*gauss(lambda w: density(w) * occupation(w), modes, cutoff), quanta)
    stays = []
    for excited in (True, False):
        H, kept = sector(excited, splitting, a, b, quanta)
        start = np.zeros(H.shape[0], complex)
        start[0] = 1.0
        path = expm_multiply(-1j * H, start, ts[0], ts[-1], len(ts))
        stays.append({key: path[:, part] for key, part in kept.items()})
    p11, p00 = (sum(np.sum(np.abs(x) ** 2, axis=1) for x in each.values()) for each in stays)
    c = sum(np.sum(stays[0][key] * stays[1][key].conj(), axis=1) for key in stays[0])
    return p11, p00, c
