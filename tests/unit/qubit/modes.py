"""A qubit and two modes by exact diagonalisation in a truncated Fock space."""

import numpy as np

W = np.array([0.8, 1.7])
TEMPERATURE = 0.35
LEVELS = 16

LOWER = np.diag(np.sqrt(np.arange(1, LEVELS)), 1)
UNIT = np.eye(LEVELS)
DOWN = np.kron(np.array([[0.0, 1.0], [0.0, 0.0]]), np.eye(LEVELS**2))
MODES = [np.kron(np.eye(2), np.kron(*pair)) for pair in ((LOWER, UNIT), (UNIT, LOWER))]


def hamiltonian(couplings):
    """H with w_s = 1."""
    total = DOWN.T @ DOWN
    for w, v, b in zip(W, couplings, MODES, strict=True):
        total = total + w * b.T @ b + v * (DOWN.T @ b + DOWN @ b.T)
    return total


def mean_force_population(couplings):
    """rho_11 of the Gibbs state of the whole."""
    energies, vectors = np.linalg.eigh(hamiltonian(couplings))
    weights = np.exp(-energies / TEMPERATURE)
    excited = np.sum(vectors[LEVELS**2 :] ** 2, axis=0)
    return excited @ weights / np.sum(weights)


class Evolution:
    """Two-time functions and occupations from a product state; all that is asked is diagonal."""

    def __init__(self, couplings, excited):
        self.energies, self.vectors = np.linalg.eigh(hamiltonian(couplings))
        state = np.array([1.0 - excited, excited])
        for w in W:
            weights = np.exp(-w / TEMPERATURE * np.arange(LEVELS))
            state = np.kron(state, weights / np.sum(weights))
        self.state = state

    def _at(self, operator, t):
        """An operator in Heisenberg's picture."""
        u = (self.vectors * np.exp(-1j * self.energies * t)) @ self.vectors.T
        return u.conj().T @ operator @ u

    def _mean(self, left, right):
        return np.einsum("ij,ji,i->", left, right, self.state)

    def number(self, t, s):
        """<s+(s) s-(t)>."""
        return self._mean(self._at(DOWN.T, s), self._at(DOWN, t))

    def vacancy(self, t, s):
        """<s-(t) s+(s)>."""
        return self._mean(self._at(DOWN, t), self._at(DOWN.T, s))

    def occupations(self, t):
        """<b_k' b_k> at t."""
        return np.array([np.diag(self._at(b.T @ b, t)).real @ self.state for b in MODES])
