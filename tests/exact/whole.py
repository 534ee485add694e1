"""Quadratic systems with a few discrete modes for each reservoir, integrated as a whole."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp


class Bath(NamedTuple):
    """Frequencies, couplings and occupations of discrete modes."""

    w: np.ndarray
    V: np.ndarray
    filled: np.ndarray

    @staticmethod
    def flat(gamma, pieces, count, occupation):
        """Modes of `FlatBand`, Gauss-Legendre on each piece between neighbouring ends."""
        x, weights = np.polynomial.legendre.leggauss(count)
        ends = list(pairwise(pieces))
        w = np.concatenate([0.5 * (a + b) + 0.5 * (b - a) * x for a, b in ends])
        lengths = np.concatenate([0.5 * (b - a) * weights for a, b in ends])
        return Bath(w, np.sqrt(gamma / (2.0 * np.pi) * lengths), occupation(w))


class Whole(NamedTuple):
    """H = h a'a + (Delta a'a' / 2 + f a' + s (c a' + d a) Phi + h.c.), constant or in time."""

    h: Any
    pairing: Any
    force: Any
    switch: Any
    c: np.ndarray
    d: np.ndarray
    bath: Bath
    sign: float

    def matrix(self, t):
        """i Z' = H Z of Z = (a, b, a', b')."""
        size, count = len(self.c), len(self.bath.w)
        H, P = (np.zeros((size + count,) * 2, complex) for _ in range(2))
        H[:size, :size], P[:size, :size] = at(self.h, t), at(self.pairing, t)
        H[size:, size:] = np.diag(self.bath.w)
        H[:size, size:] = at(self.switch, t) * np.outer(self.c, self.bath.V)
        H[size:, :size] = H[:size, size:].conj().T
        P[:size, size:] = self.sign * at(self.switch, t) * np.outer(np.conj(self.d), self.bath.V)
        P[size:, :size] = self.sign * P[:size, size:].T
        return np.block([[H, P], [-P.conj(), -H.conj()]])

    def solve(self, n, pairs, mean, ts):
        """Quantities at each time, under the names of a solution."""
        size, total = len(self.c), len(self.c) + len(self.bath.w)
        filled, anomalous = (np.zeros((total, total), complex) for _ in range(2))
        filled[:size, :size], anomalous[:size, :size] = n, pairs
        filled[size:, size:] = np.diag(self.bath.filled)
        empty = np.eye(total) + self.sign * filled.T
        G = np.block([[filled, anomalous.T], [anomalous.conj(), empty]])
        z = np.zeros(2 * total, complex)
        z[:size], z[total : total + size] = mean, np.conj(mean)

        def rate(t, flat):
            U = flat.reshape(2 * total, -1)
            push = np.zeros(2 * total, complex)
            force = np.asarray(at(self.force, t))
            push[:size], push[total : total + size] = force, -force.conj()
            moved = self.matrix(t) @ U
            moved[:, -1] += push
            return (-1j * moved).ravel()

        start = np.concatenate([np.eye(2 * total), z[:, None]], axis=1).ravel()
        found = solve_ivp(rate, (0.0, ts[-1]), start, "DOP853", ts, rtol=1e-11, atol=1e-13).y
        columns = found.T.reshape(len(ts), 2 * total, -1)
        return [self.observed(each, G, t) for each, t in zip(columns, ts, strict=True)]

    def observed(self, columns, start, t):
        """What a solution has, at one time."""
        size, total, (w, V, filled) = len(self.c), columns.shape[0] // 2, self.bath
        U, z = columns[:, :-1], columns[:, -1]
        G = U @ start @ U.conj().T
        everything = G + np.outer(z, z.conj())
        fields = everything[size:total]
        contact = fields[:, :size] @ self.c + fields[:, total : total + size] @ self.d
        in_bath = np.diag(everything[size:total, size:total]).real - filled
        return {
            "n": G[:size, :size],
            "anomalous": G[:size, total : total + size].T,
            "displacement": z[:size],
            "interaction_energy": [2.0 * at(self.switch, t) * (V @ contact).real],
            "particle_current": [-2.0 * at(self.switch, t) * (V @ contact).imag],
            "energy_current": [-2.0 * at(self.switch, t) * ((w * V) @ contact).imag],
            "particle_gain": [np.sum(in_bath)],
            "energy_gain": [w @ in_bath],
        }


def at(value, t):
    """A constant, or a function of the time at a time."""
    return np.asarray(value(t)) if callable(value) else value
