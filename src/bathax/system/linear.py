"""Several modes, bosons or fermions, that exchange quanta with reservoirs: quadratic systems."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Complex, Float

from bathax._checks import (
    Scalar,
    Validated,
    as_complex,
    holds,
    require,
    require_kind,
    shown,
)
from bathax._linalg import eigvalsh
from bathax.reservoir.occupation import Thermal
from bathax.reservoir.reservoir import THERMAL, Reservoir
from bathax.system.drive import Drive, is_drive

# Matrices are Hermitian up to rounding, and occupations bounded up to it.
ROUNDING = 1e-10


def _as_switch(switch: Any) -> Drive | None:
    if switch is None:
        return None
    words = "a function of the time"
    require("switch", words, shown(switch), callable(switch))
    drive = Drive.of("switch", switch)
    real = drive.shape == () and not drive.is_complex
    require("switch", f"{words} that returns a real number", "not", real)
    return drive


class Channel(Validated):
    """How modes are coupled to a reservoir: x' Phi + h.c., x = sum_i conj(c_i) a_i.

    Phi = sum_k V_k b_k is the field of the `reservoir`, J(w) = sum_k |V_k|^2 delta(w - w_k), and
    `coupling` has the numbers c_i, without unit. A `switch` is a real function of the time that
    multiplies them, made of `jax.numpy`.

    >>> lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), temperature=0.1, chemical_potential=0.5)
    >>> bx.Channel(lead, [1.0, 0.0]).coupling.shape
    (2,)
    """

    reservoir: Reservoir
    coupling: Complex[Array, " modes"] = eqx.field(converter=as_complex)
    switch: Drive | None = eqx.field(converter=_as_switch, default=None)

    def __check_init__(self) -> None:
        words = "a `Reservoir(J, temperature)`"
        require_kind("reservoir", words, self.reservoir, Reservoir)
        require("coupling", "a list of numbers", self.coupling, self.coupling.ndim == 1)
        require("coupling", "finite", self.coupling, holds(_is_finite, self.coupling))

    def is_consistent(self) -> Bool[Array, ""]:
        return _is_finite(self.coupling)

    def _given(self) -> dict[str, Any]:
        """Without a switch if there is none."""
        return {name: value for name, value in super()._given().items() if value is not None}

    def factor(self, t: Scalar) -> Scalar:
        """What the coupling is multiplied by at a time."""
        return jnp.ones(()) if self.switch is None else self.switch(t).astype(float)


class LinearSystem(Validated):
    r"""H = sum_ij h_ij a_i' a_j + sum_channels (x' Phi + h.c.), bosons or fermions.

    `h` is a Hermitian matrix of energies, or a function of the time that returns one, made of
    `jax.numpy`, for `Embedding`. `channels` are one `Channel` or several, each with a
    reservoir of its own, `statistics` "boson" or "fermion". Thermal reservoirs take the statistics
    of the system: for fermions any J and any chemical potential have a thermal state. A `Cavity` is
    the case of one mode of bosons (AHZ Eqs. 3 and 10).

    A level between two leads:

    >>> J = bx.FlatBand(gamma=0.5, low=-5.0, high=5.0)
    >>> left, right = (bx.Reservoir(J, 0.1, mu) for mu in (0.5, -0.5))
    >>> channels = [bx.Channel(left, [1.0]), bx.Channel(right, [1.0])]
    >>> dot = bx.LinearSystem([[0.3]], channels, statistics="fermion")
    >>> dot.size
    1
    """

    h: Any
    channels: tuple[Channel, ...]
    statistics: str = eqx.field(static=True)

    def __init__(
        self,
        h: ArrayLike | Sequence | Callable,
        channels: Channel | Iterable[Any],
        statistics: str = "boson",
    ) -> None:
        known = isinstance(statistics, str) and statistics in THERMAL
        require("statistics", '"boson" or "fermion"', repr(statistics), known)
        several = tuple(channels) if isinstance(channels, Iterable) else (channels,)
        for channel in several:
            require_kind("channels", "one `Channel` or several", channel, Channel)
        self.h = Drive.of("h", h) if callable(h) else as_complex(h, "h")
        self.statistics = statistics
        self.channels = tuple(
            eqx.tree_at(lambda c: c.reservoir, channel, channel.reservoir.filled_with(statistics))
            for channel in several
        )

    def __check_init__(self) -> None:
        shape = self.h.shape
        square = len(shape) == 2 and shape[0] == shape[1] > 0
        require("h", "a square matrix", f"of shape {shape}", square)
        if not isinstance(self.h, Drive):
            require("h", "finite", self.h, holds(_is_finite, self.h))
            require("h", "Hermitian", self.h, holds(_is_hermitian, self.h))
        require("channels", "one `Channel` or several", "none", self.channels)
        for channel in self.channels:
            words = f"a list of {self.size}, a number for each mode"
            length = channel.coupling.shape[0]
            require("coupling", words, f"of length {length}", length == self.size)
            channel.reservoir.require_consistent()
            _require_filled(channel.reservoir, self.statistics)

    def is_consistent(self) -> Bool[Array, ""]:
        filled = [_is_filled(bath, self.statistics) for bath in self.reservoirs]
        fixed = jnp.asarray(True) if isinstance(self.h, Drive) else _is_hermitian(self.h)
        return fixed & jnp.all(jnp.stack(filled))

    @property
    def is_driven(self) -> bool:
        """Whether h or a coupling changes in time."""
        switched = any(channel.switch is not None for channel in self.channels)
        return switched or isinstance(self.h, Drive)

    def require_static(self) -> None:
        """Refuse a system that changes in time."""
        for channel in self.channels:
            words = "left out here, where couplings are constant"
            require("switch", words, "a function of the time", channel.switch is None)
        fixed = not isinstance(self.h, Drive)
        require("h", "constant in time here", "a function of the time", fixed)

    def at(self, t: Scalar) -> "LinearSystem":
        """The system with h and the couplings of this time."""
        if not self.is_driven:
            return self
        h = self.h(t).astype(complex) if isinstance(self.h, Drive) else self.h
        channels = tuple(
            Channel(each.reservoir, each.coupling * each.factor(t).astype(complex))
            for each in self.channels
        )
        return eqx.tree_at(
            lambda system: (system.h, system.channels),
            self,
            (h, channels),
            is_leaf=is_drive,
        )

    def rates(self, t: Scalar) -> tuple[Complex[Array, "n n"], Complex[Array, "channels n"]]:
        """The rates of change of h and of the couplings at a time."""

        def parts(t: Scalar) -> tuple[Array, Array]:
            now = self.at(t)
            return now.h, now.couplings

        return jax.jvp(parts, (t,), (jnp.ones_like(t),))[1]

    def require_drives(self, stop: Scalar) -> None:
        """Refuse known drives that are not finite, or not Hermitian, at some time up to `stop`."""
        if isinstance(self.h, Drive):
            self.h.require("finite", _is_finite, stop)
            self.h.require("Hermitian", _is_hermitian, stop)
        for channel in self.channels:
            if channel.switch is not None:
                channel.switch.require("finite", np.isfinite, stop)

    @property
    def size(self) -> int:
        """The number of modes."""
        return self.h.shape[0]

    @property
    def reservoirs(self) -> tuple[Reservoir, ...]:
        """The reservoirs of all channels."""
        return tuple(channel.reservoir for channel in self.channels)

    @property
    def couplings(self) -> Complex[Array, "channels n"]:
        """The numbers c of all channels."""
        return jnp.stack([channel.coupling for channel in self.channels])

    @property
    def have_ends(self) -> Bool[Array, " channels"]:
        """Whether the reservoir of each channel has a band with ends."""
        return jnp.asarray([bath.has_ends for bath in self.reservoirs])

    @property
    def frequency(self) -> Scalar:
        """The mean energy of the modes, tr h / N."""
        return jnp.trace(self.h).real / self.size

    @property
    def detuning(self) -> Scalar:
        """About the largest frequency in the frame that rotates with the mean; a hint only."""
        ends = [end for bath in self.reservoirs for end in bath.spectral_density.extent]
        away = jnp.max(jnp.abs(jnp.stack(ends) - self.frequency))
        inside = jnp.linalg.norm(
            self.h - self.frequency.astype(complex) * jnp.eye(self.size, dtype=complex)
        )
        return jnp.maximum(away, inside)

    @property
    def weight(self) -> Scalar:
        r"""\int J dw |c|^2 of all channels together; a hint only."""
        strengths = jnp.sum(self.couplings.real**2 + self.couplings.imag**2, axis=1)
        weights = [bath.spectral_density.weight for bath in self.reservoirs]
        return strengths @ jnp.stack(weights)


class Covariance(Validated):
    """A Gaussian state of modes with given `n`, n_ij = <a_j' a_i>; without coherence or squeezing.

    >>> bx.Covariance([[1.0, 0.5], [0.5, 1.0]]).number.item()
    2.0
    """

    n: Complex[Array, "n n"] = eqx.field(converter=as_complex)

    def __check_init__(self) -> None:
        shape = self.n.shape
        square = len(shape) == 2 and shape[0] == shape[1] > 0
        require("n", "a square matrix", f"of shape {shape}", square)
        require("n", "Hermitian", self.n, holds(lambda n: _is_hermitian(n, 1.0), self.n))
        least = "without negative eigenvalues"
        require("n", least, self.n, holds(_is_positive, self.n))

    def is_consistent(self) -> Bool[Array, ""]:
        return _is_hermitian(self.n, 1.0) & _is_positive(self.n)

    def require_fits(self, system: LinearSystem) -> None:
        """Refuse a state of other modes, or one that fermions do not have."""
        size = self.n.shape[0]
        words = f"a state of {system.size} modes"
        require("initial", words, f"one of {size}", size == system.size)
        words = "a state of at most one fermion in every mode"
        require("initial", words, self.n, holds(Covariance.exists_in, self, system))

    def exists_in(self, system: LinearSystem) -> Bool[Array, ""]:
        """Whether no mode has more than one fermion, or quanta are bosons."""
        if system.statistics == "boson":
            return jnp.asarray(True)
        return jnp.max(eigvalsh(self.n)) < 1.0 + ROUNDING

    @property
    def number(self) -> Float[Array, ""]:
        """The mean number of quanta."""
        return jnp.trace(self.n).real


def _require_filled(bath: Reservoir, statistics: str) -> None:
    """Refuse a reservoir that does not hold such quanta, or not as they fill it."""
    of = bath.occupation.statistics
    right = of == statistics or not isinstance(bath.occupation, Thermal)
    require("reservoir", f"of {statistics}s", f"of {of}s", right)
    if statistics == "fermion":
        words = "an occupation of at most one fermion in every mode"
        require("occupation", words, bath.occupation, holds(_is_filled, bath, statistics))


def _is_filled(bath: Reservoir, statistics: str) -> Any:
    constant = bath.occupation.constant
    if constant is None or statistics == "boson":
        return jnp.asarray(True)
    return constant <= 1.0


def _is_finite(values: Any) -> Any:
    return _size(values).max(initial=0.0) < np.inf


def _is_hermitian(matrix: Any, scale: float = 0.0) -> Any:
    """Up to rounding of the largest element, or of a scale."""
    largest = _size(matrix).max()
    return _size(matrix - matrix.conj().T).max() <= ROUNDING * (scale + largest)


def _size(values: Any) -> Any:
    """|Re c| + |Im c|, which is finite wherever c is, unlike squares."""
    return abs(values.real) + abs(values.imag)


def _is_positive(n: Any) -> Any:
    scale = 1.0 + _size(n).max()
    return eigvalsh(jnp.asarray(n)).min() > -ROUNDING * scale
