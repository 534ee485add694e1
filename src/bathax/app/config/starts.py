"""The `[start]` of a study that does not begin in a state of the system alone."""

from typing import Any

from bathax.app.config.modes import Chain, CoupledCavities, DoubleDot, Linear, ResonantLevel
from bathax.app.config.rules import Positive, Table
from bathax.app.config.systems import Cavity, Qubit

System = Cavity | Qubit | Linear | ResonantLevel | DoubleDot | Chain | CoupledCavities


class Equilibrium(Table, tag_field="kind", tag="equilibrium"):
    """`bathax.Equilibrium` of the `system` as it was before, with the reservoirs of the study."""

    system: System

    def build(self, before: Any) -> Any:
        """The preparation of bathax."""
        import bathax as bx

        return bx.Equilibrium(before)  # pyright: ignore[reportCallIssue]


class Stationary(Table, tag_field="kind", tag="stationary"):
    """`bathax.Stationary` of the `system` as it was before, with the reservoirs of the study."""

    system: System

    def build(self, before: Any) -> Any:
        """The preparation of bathax."""
        import bathax as bx

        return bx.Stationary(before)  # pyright: ignore[reportCallIssue]


class Periodic(Table, tag_field="kind", tag="periodic"):
    """`bathax.Periodic`."""

    period: Positive

    def build(self, _: Any) -> Any:
        """The preparation of bathax."""
        import bathax as bx

        return bx.Periodic(self.period)


Start = Equilibrium | Stationary | Periodic
