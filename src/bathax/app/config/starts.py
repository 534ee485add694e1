"""The `[start]` of a study that does not begin in a state of the system alone."""

from typing import Any

from bathax.app.config.checking import blaming
from bathax.app.config.modes import Chain, CoupledCavities, DoubleDot, Linear, ResonantLevel
from bathax.app.config.rules import Kind, Positive
from bathax.app.config.systems import Cavity, Qubit

System = Cavity | Qubit | Linear | ResonantLevel | DoubleDot | Chain | CoupledCavities


class Stationary(Kind, tag="stationary"):
    """`bathax.Stationary` of the `system` as it was before, with the reservoirs of the study."""

    system: System

    def build_from(self, reservoirs: tuple[Any, ...], contacts: tuple[Any, ...]) -> Any:
        """The preparation of bathax."""
        import bathax

        with blaming("start.system"):
            before = self.system.build(reservoirs, contacts)
        with blaming("start"):
            return getattr(bathax, type(self).__name__)(before)


class Equilibrium(Stationary, tag="equilibrium"):
    """`bathax.Equilibrium` of the `system` as it was before, with the reservoirs of the study."""


class Periodic(Kind, tag="periodic"):
    """`bathax.Periodic`."""

    period: Positive


Start = Equilibrium | Stationary | Periodic
