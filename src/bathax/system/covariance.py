"""Gaussian states of several modes."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import ComplexLike, Validated, as_complex, holds, require
from bathax._linalg import eigvalsh
from bathax.system.matrices import (
    ROUNDING,
    all_finite,
    has_symmetry,
    is_hermitian,
    is_positive,
)

if TYPE_CHECKING:
    from bathax.system.linear import LinearSystem


class Covariance(Validated):
    """A Gaussian state of modes with given `n`, n_ij = <a_j' a_i>.

    A squeezed one has the symmetric matrix `anomalous` too, <a_i a_j>, of fermions antisymmetric.
    A `displacement` <a_i> of bosons is not contained in these: they are the covariances about it,
    and <a_j' a_i> = n_ij + conj(<a_j>) <a_i>.

    >>> bx.Covariance([[1.0, 0.5], [0.5, 1.0]]).number.item()
    2.0
    """

    n: Complex[Array, "n n"]
    anomalous: Complex[Array, "n n"] | None
    displacement: Complex[Array, " n"] | None

    def __init__(
        self,
        n: ComplexLike,
        anomalous: ComplexLike | None = None,
        displacement: ComplexLike | None = None,
    ) -> None:
        self.n = as_complex(n, "n")
        self.anomalous = None if anomalous is None else as_complex(anomalous, "anomalous")
        given = displacement is not None
        self.displacement = as_complex(displacement, "displacement") if given else None

    def __check_init__(self) -> None:
        shape = self.n.shape
        square = len(shape) == 2 and shape[0] == shape[1] > 0
        require("n", "a square matrix", f"of shape {shape}", square)
        require("n", "Hermitian", self.n, holds(lambda n: is_hermitian(n, 1.0), self.n))
        require("n", "without negative eigenvalues", self.n, holds(is_positive, self.n))
        for name, one, wanted in (
            ("anomalous", self.anomalous, shape),
            ("displacement", self.displacement, shape[:1]),
        ):
            if one is not None:
                require(name, f"of shape {wanted}", f"of shape {one.shape}", one.shape == wanted)
                require(name, "finite", one, holds(all_finite, one))

    def _given(self) -> dict[str, Any]:
        """Without what is left out."""
        return {name: value for name, value in super()._given().items() if value is not None}

    def is_consistent(self) -> Bool[Array, ""]:
        finite = [all_finite(one) for one in (self.anomalous, self.displacement) if one is not None]
        return jnp.all(jnp.stack([is_hermitian(self.n, 1.0) & is_positive(self.n), *finite]))

    @property
    def is_plain(self) -> bool:
        """Whether n is all of it."""
        return self.anomalous is None and self.displacement is None

    @property
    def mean(self) -> Complex[Array, " n"]:
        """<a_i>."""
        zero = jnp.zeros(self.n.shape[0], complex)
        return zero if self.displacement is None else self.displacement

    @property
    def whole(self) -> Complex[Array, "n n"]:
        """<a_j' a_i>, with what the displacement is in it."""
        return self.n + self.mean[:, None] * self.mean.conj()[None, :]

    @property
    def pairs(self) -> Complex[Array, "n n"]:
        """<a_i a_j> less that of the displacement."""
        return jnp.zeros_like(self.n) if self.anomalous is None else self.anomalous

    def doubled(self, statistics: str) -> Complex[Array, "d d"]:
        """<Z_j' Z_i> of Z = (a, a'), without the displacement."""
        return doubled(self.n, self.pairs, statistics)

    def require_fits(self, system: "LinearSystem") -> None:
        """Refuse a state of other modes, or one that bosons or fermions do not have."""
        size, boson = self.n.shape[0], system.statistics == "boson"
        words = f"a state of {system.size} modes"
        require("initial", words, f"one of {size}", size == system.size)
        words = "left out for fermions"
        require("displacement", words, "given", boson or self.displacement is None)
        if self.anomalous is not None:
            words = "symmetric" if boson else "antisymmetric"
            sign = 1.0 if boson else -1.0
            right = holds(lambda m: has_symmetry(m, sign), self.anomalous)
            require("anomalous", f"{words} for {system.statistics}s", self.anomalous, right)
        found = holds(Covariance.exists_in, self, system)
        words = "a state of at most one fermion in every mode"
        if self.anomalous is not None:
            words = "possible beside `n`, by the uncertainty relation"
            require("anomalous", words, self.anomalous, found)
        require("initial", words, self.n, found)

    def exists_in(self, system: "LinearSystem") -> Bool[Array, ""]:
        """Whether such bosons, or fermions, exist."""
        if self.anomalous is not None:
            return is_positive(self.doubled(system.statistics))
        if system.statistics == "boson":
            return jnp.asarray(True)
        return jnp.max(eigvalsh(self.n)) < 1.0 + ROUNDING

    @property
    def number(self) -> Float[Array, ""]:
        """The mean number of quanta."""
        return jnp.trace(self.n).real + jnp.sum(jnp.abs(self.mean) ** 2)


def doubled(
    n: Complex[Array, "n n"], pairs: Complex[Array, "n n"], statistics: str
) -> Complex[Array, "d d"]:
    """<Z_j' Z_i> of Z = (a, a'), which has no negative eigenvalue."""
    sign = 1.0 if statistics == "boson" else -1.0
    unit = jnp.eye(n.shape[0], dtype=complex)
    return jnp.block([[n, pairs.T], [pairs.conj(), unit + sign * n.T]])
