"""Several modes, bosons or fermions, that exchange quanta with reservoirs: quadratic systems."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Complex, Float

from bathax._checks import Scalar, Validated, as_complex, holds, require, require_kind
from bathax.reservoir.occupation import Thermal
from bathax.reservoir.reservoir import THERMAL, Reservoir
from bathax.system.coupling import Channel
from bathax.system.drive import Drive, is_drive
from bathax.system.drives import Assembled
from bathax.system.matrices import all_finite, has_symmetry, is_hermitian


class Rates(eqx.Module):
    """The rates of change of h, pairing, force and contacts at a time."""

    h: Complex[Array, "n n"]
    pairing: Complex[Array, "n n"]
    force: Complex[Array, " n"]
    contacts: Complex[Array, "channels d"]


class LinearSystem(Validated):
    r"""H = sum_ij h_ij a_i' a_j + sum_channels (x' Phi + h.c.), bosons or fermions.

    `h` is a Hermitian matrix of energies. `channels` are one `Channel` or several, each with a
    reservoir of its own, `statistics` "boson" or "fermion". Thermal reservoirs take the statistics
    of the system: for fermions any J and any chemical potential have a thermal state. A `Cavity` is
    the case of one mode of bosons (AHZ Eqs. 3 and 10).

    Pairs are created by a matrix `pairing`, 1/2 sum_ij Delta_ij a_i' a_j' + h.c., symmetric for
    bosons and antisymmetric for fermions, and by the `counter` of a channel; a `force` on bosons is
    sum_i f_i a_i' + h.c. Each of h, `pairing` and `force` may be a continuous function of the time,
    made of `jax.numpy`, or lists that contain such functions, like `Ramp`. Whatever is driven,
    paired or displaced is solved by `Embedding`. A run after a jump begins with `Continue`.

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
    pairing: Any
    force: Any

    def __init__(
        self,
        h: ArrayLike | Sequence | Callable,
        channels: Channel | Iterable[Any],
        statistics: str = "boson",
        pairing: ArrayLike | Sequence | Callable | None = None,
        force: ArrayLike | Sequence | Callable | None = None,
    ) -> None:
        known = isinstance(statistics, str) and statistics in THERMAL
        require("statistics", '"boson" or "fermion"', repr(statistics), known)
        several = tuple(channels) if isinstance(channels, Iterable) else (channels,)
        for channel in several:
            require_kind("channels", "one `Channel` or several", channel, Channel)
        self.h = _given_as("h", h)
        self.pairing = None if pairing is None else _given_as("pairing", pairing)
        self.force = None if force is None else _given_as("force", force)
        self.statistics = statistics
        self.channels = tuple(
            eqx.tree_at(lambda c: c.reservoir, channel, channel.reservoir.filled_with(statistics))
            for channel in several
        )

    def __check_init__(self) -> None:
        shape = self.h.shape
        square = len(shape) == 2 and shape[0] == shape[1] > 0
        require("h", "a square matrix", f"of shape {shape}", square)
        for name, wanted in (("pairing", shape), ("force", shape[:1])):
            found = getattr(getattr(self, name), "shape", wanted)
            require(name, f"of shape {wanted}", f"of shape {found}", found == wanted)
        require("force", "left out for fermions", "given", self._is_boson or self.force is None)
        for name, (words, rule) in self._rules.items():
            if not isinstance(getattr(self, name), Drive):
                numbers = getattr(self, name)
                require(name, "finite", numbers, holds(all_finite, numbers))
                require(name, words, numbers, holds(rule, numbers))
        require("channels", "one `Channel` or several", "none", self.channels)
        for channel in self.channels:
            words = f"a list of {self.size}, a number for each mode"
            length = channel.coupling.shape[0]
            require("coupling", words, f"of length {length}", length == self.size)
            channel.reservoir.require_consistent()
            _require_filled(channel.reservoir, self.statistics)

    @property
    def _rules(self) -> dict[str, tuple[str, Callable[[Any], Any]]]:
        """What h, pairing and force have to be, of those that are there."""
        sign = self.sign
        words = f"{'symmetric' if self._is_boson else 'antisymmetric'} for {self.statistics}s"
        rules: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "h": ("Hermitian", is_hermitian),
            "pairing": (words, lambda matrix: has_symmetry(matrix, sign)),
            "force": ("finite", all_finite),
        }
        return {name: rule for name, rule in rules.items() if getattr(self, name) is not None}

    def _given(self) -> dict[str, Any]:
        """Without what is left out."""
        return {name: value for name, value in super()._given().items() if value is not None}

    def is_consistent(self) -> Bool[Array, ""]:
        filled = [_is_filled(bath, self.statistics) for bath in self.reservoirs]
        known = [
            rule(getattr(self, name))
            for name, (_, rule) in self._rules.items()
            if not isinstance(getattr(self, name), Drive)
        ]
        return jnp.all(jnp.stack([jnp.asarray(one) for one in (*filled, *known)]))

    @property
    def _is_boson(self) -> bool:
        return self.statistics == "boson"

    @property
    def sign(self) -> float:
        """1 for bosons, -1 for fermions: [a_i, a_j']_- or [a_i, a_j']_+ is delta_ij."""
        return 1.0 if self._is_boson else -1.0

    @property
    def is_driven(self) -> bool:
        """Whether anything changes in time."""
        switched = any(channel.switch is not None for channel in self.channels)
        return switched or any(isinstance(one, Drive) for one in (self.h, self.pairing, self.force))

    @property
    def is_paired(self) -> bool:
        """Whether quanta are created or destroyed in pairs."""
        counter = any(channel.counter is not None for channel in self.channels)
        return counter or self.pairing is not None

    @property
    def with_pairs(self) -> "LinearSystem":
        """The same as a system with pairs, of which there may be none."""
        if self.is_paired:
            return self
        none = jnp.zeros((self.size, self.size), complex)
        return eqx.tree_at(lambda own: own.pairing, self, none, is_leaf=lambda x: x is None)

    def require_static(self) -> None:
        """Refuse a system that changes in time, and one that does not conserve quanta."""
        for channel in self.channels:
            words = "left out here, where couplings are constant"
            require("switch", words, "a function of the time", channel.switch is None)
            words = "left out here, where quanta are conserved"
            require("counter", words, "given", channel.counter is None)
        fixed = not isinstance(self.h, Drive)
        require("h", "constant in time here", "a function of the time", fixed)
        words = "left out here, where quanta are conserved"
        for name in ("pairing", "force"):
            require(name, words, "given", getattr(self, name) is None)

    def at(self, t: Scalar) -> "LinearSystem":
        """The system with everything as it is at this time."""
        if not self.is_driven:
            return self
        now = [
            one(t).astype(complex) if isinstance(one, Drive) else one
            for one in (self.h, self.pairing, self.force)
        ]
        return eqx.tree_at(
            lambda system: (system.h, system.pairing, system.force, system.channels),
            self,
            (*now, tuple(channel.at(t) for channel in self.channels)),
            is_leaf=lambda node: node is None or is_drive(node),
        )

    def rates(self, t: Scalar) -> Rates:
        """The rates of change of all that is driven at a time."""

        def parts(t: Scalar) -> Rates:
            now = self.at(t)
            zero = jnp.zeros((self.size, self.size), complex)
            pairing = zero if now.pairing is None else now.pairing
            force = zero[0] if now.force is None else now.force
            return Rates(now.h, pairing, force, now.contacts)

        return jax.jvp(parts, (t,), (jnp.ones_like(t),))[1]

    def require_drives(self, stop: Scalar) -> None:
        """Refuse known drives that are not finite, jump, or break a rule at a time up to `stop`."""
        for name, (words, rule) in self._rules.items():
            drive = getattr(self, name)
            if isinstance(drive, Drive):
                drive.require("finite", all_finite, stop)
                drive.require(words, rule, stop)
                drive.require_continuous(stop)
        for channel in self.channels:
            if channel.switch is not None:
                channel.switch.require("finite", np.isfinite, stop)
                channel.switch.require_continuous(stop)

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
    def contacts(self) -> Complex[Array, "channels d"]:
        """The numbers of a', or of (a', a) of a system with pairs, in x' of all channels."""
        return self._both(1.0)

    @property
    def felt(self) -> Complex[Array, "channels d"]:
        """The numbers c by which a, or (a, a') of a system with pairs, changes as -i c Phi."""
        return self._both(-self.sign)

    def _both(self, sign: float) -> Complex[Array, "channels d"]:
        if not self.is_paired:
            return self.couplings
        none = jnp.zeros(self.size, complex)
        counters = [none if one.counter is None else one.counter for one in self.channels]
        return jnp.concatenate([self.couplings, sign * jnp.stack(counters)], axis=1)

    @property
    def have_ends(self) -> Bool[Array, " channels"]:
        """Whether the reservoir of each channel has a band with ends."""
        return jnp.asarray([bath.has_ends for bath in self.reservoirs])

    @property
    def has_ends(self) -> bool:
        """Whether all reservoirs have."""
        return all(bath.has_ends for bath in self.reservoirs)

    @property
    def backgrounds(self) -> Float[Array, " channels"]:
        """gamma of the part gamma / 2 pi of J at all energies, of each channel."""
        return jnp.stack([bath.background for bath in self.reservoirs])

    @property
    def biases(self) -> Float[Array, " channels"]:
        """|mu - w| of the reservoirs without ends, whose noise turns by it; 0 of others."""
        away = jnp.stack([bath.occupation.level for bath in self.reservoirs]) - self.frequency
        return jnp.where(self.have_ends, 0.0, jnp.abs(away))

    @property
    def frequency(self) -> Scalar:
        """The mean energy of the modes, tr h / N."""
        return jnp.trace(self.h).real / self.size

    @property
    def detuning(self) -> Scalar:
        """About the largest frequency in the frame that rotates with the mean; a hint only."""
        with_ends = [bath.spectral_density for bath in self.reservoirs if bath.has_ends]
        ends = [end for density in with_ends for end in density.extent]
        away = jnp.max(jnp.abs(jnp.stack([*ends, self.frequency]) - self.frequency))
        inside = jnp.linalg.norm(
            self.h - self.frequency.astype(complex) * jnp.eye(self.size, dtype=complex)
        )
        return jnp.maximum(away, inside)

    @property
    def weight(self) -> Scalar:
        r"""\int J dw |c|^2 of all channels together; a hint only."""
        contacts = self.contacts
        strengths = jnp.sum(contacts.real**2 + contacts.imag**2, axis=1)
        weights = [bath.spectral_density.weight for bath in self.reservoirs]
        return strengths @ jnp.stack(weights)


def _given_as(name: str, value: Any) -> Any:
    """Numbers, or a function of the time; lists that contain functions are one as a whole."""
    if callable(value):
        return Drive.of(name, value)
    if not Assembled.is_needed(value):
        return as_complex(value, name)
    lengths = {len(row) if isinstance(row, list | tuple) else 0 for row in value}
    if len(lengths) > 1:
        raise ValueError(f"Argument `{name}` must have rows of one length.")
    return Drive.of(name, Assembled.of(name, value))


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
