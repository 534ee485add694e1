r"""Bound states and resonances: the poles of the propagator G(z) = 1 / (z - w_s - Sigma(z)).

On the first Riemann sheet the poles of G are bound states: they lie on the real axis outside the
support of J, at most one in each gap. On the second sheet, 1 / G_II = 1 / G + 2 pi i J, where G is
continued through the support into the lower half plane, the poles are resonances: w_p - i Gamma / 2
with a frequency w_p and a width Gamma.
"""

from functools import partial
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import is_concrete
from bathax._display import Table, Tabular, number, shown
from bathax._programs import program
from bathax.cavity.argument_principle import has_all_zeros
from bathax.cavity.pole_search import Found, Survey, gaps, resonant, with_slope
from bathax.cavity.sheet import Sheet
from bathax.cavity.star import eigenstates
from bathax.system.system import System, require_system

# Poles that do not exist are placed here, with residue 0, away from all other frequencies.
NOWHERE = 0.577 + 1.618j


class Poles(eqx.Module):
    """Frequencies and residues of poles of G, of which only those count that `exist`.

    Each belongs to the continuation of G from one interval between the edges, its `sector`.
    """

    frequencies: Complex[Array, " poles"]
    residues: Complex[Array, " poles"]
    exist: Bool[Array, " poles"]
    sector: tuple[int, ...] = eqx.field(static=True)


class BoundStates(Tabular, eqx.Module):
    """Bound states, one entry for each gap of the support, in increasing order.

    `frequencies` w_b and `residues` Z. If a gap has none, `exist` is False, the frequency NaN and
    the residue 0.
    """

    frequencies: Float[Array, " gaps"]
    residues: Float[Array, " gaps"]
    exist: Bool[Array, " gaps"]

    def _table(self) -> Table:
        columns = {"frequency": self.frequencies, "residue": self.residues}
        return existing(type(self).__name__, self.exist, columns)

    @property
    def placed(self) -> Complex[Array, " gaps"]:
        """The frequencies, or any number where there is none, to be multiplied by Z = 0."""
        return jnp.where(self.exist, self.frequencies, -1.0).astype(complex)


class Resonances(Tabular, eqx.Module):
    """Resonances z_p = w_p - i Gamma_p / 2 and their residues R_p, the least damped ones first.

    `frequencies` are the complex z_p, `residues` the R_p. Both lists have a fixed length: entries
    that do not `exist` are NaN with R = 0. `complete` says
    whether there are as many within 1 radian of the real axis as the argument principle counts.
    """

    frequencies: Complex[Array, " poles"]
    residues: Complex[Array, " poles"]
    exist: Bool[Array, " poles"]
    complete: Bool[Array, ""]

    def _table(self) -> Table:
        columns = {
            "frequency": self.frequencies.real,
            "width": self.widths,
            "residue": self.residues,
        }
        found = existing(type(self).__name__, self.exist, columns)
        return found._replace(notes=[f"complete: {shown(self.complete)}"])

    @property
    def widths(self) -> Float[Array, " poles"]:
        """Gamma_p = -2 Im z_p: the decay rate of |e^{-i z_p t}|^2."""
        return -2.0 * self.frequencies.imag


def existing(kind: str, exist: Bool[Array, "..."], columns: dict[str, Array]) -> Table:
    """A row for each pole that exists; of traced and batched ones the shapes."""
    if not is_concrete(exist, columns) or exist.ndim != 1:
        return Table(kind, ("", ""), [[name, shown(value)] for name, value in columns.items()])
    count = int(jnp.count_nonzero(exist))
    values = zip(
        *(np.asarray(x)[np.asarray(exist)].tolist() for x in columns.values()), strict=True
    )
    rows = [[str(place), *map(number, row)] for place, row in enumerate(values)]
    return Table(f"{kind}: {count}", ["", *columns] if count else (), rows)


def discrete(sheet: Sheet) -> tuple[BoundStates, Poles]:
    """The bound states, and the poles in the lower half plane."""
    fixed = lax.stop_gradient(sheet)
    survey = Survey.of(fixed)
    bound, found = gaps(fixed, survey.at_edges), resonant(fixed, survey)
    z, residues = _residues(sheet, Found.joined(bound, found))
    count = bound.exist.shape[0]
    return _bound(bound, z[:count], residues[:count]), Poles(
        z[count:], residues[count:], found.exist, found.sector
    )


@program
def bound_states(system: System) -> BoundStates:
    """Real w_b outside the support, w_b - w_s - Sigma(w_b) = 0, and Z = 1 / (1 - Sigma'(w_b))."""
    require_system(system)
    if system.has_modes:
        return BoundStates(*eigenstates(system))
    sheet = Sheet.of(system)
    fixed = lax.stop_gradient(sheet)
    found = gaps(fixed, fixed.system.self_energy(fixed.edges.astype(complex)).real)
    return _bound(found, *_residues(sheet, found))


@program
def resonances(system: System) -> Resonances:
    r"""Poles of G continued through the support of J: 1/G(z) + 2 pi i J(z) = 0, Im z < 0.

    At weak coupling there is one near w_s + Delta(w_s) - i pi J(w_s), with R near 1. Works under
    `jit`, `vmap` and `grad`, with derivatives of implicit functions, which do not exist where two
    resonances merge. At most eight are found for each interval between the edges of J, and all if J
    is rational; none in reservoirs of separate modes.

    >>> J = bx.Lorentzian(gamma0=0.32, width=1.0, center=1.0)
    >>> found = bx.resonances(bx.Cavity(1.0, bx.Reservoir(J)))
    >>> np.round(found.widths, 4).tolist()  # lam -+ G, G^2 = lam^2 - 2 gamma0 lam = 0.36
    [0.4, 1.6]
    """
    require_system(system)
    if system.has_modes:
        none = jnp.zeros(0, complex)
        return Resonances(none, none, jnp.zeros(0, bool), jnp.asarray(True))
    sheet = Sheet.of(system)
    found = _resonances(sheet)
    z, exist = found.frequencies, found.exist
    order = jnp.argsort(jnp.where(exist, -z.imag, jnp.inf))
    z = jnp.where(exist, z, jnp.nan)
    return Resonances(z[order], found.residues[order], exist[order], are_complete(sheet, found))


def are_complete(sheet: Sheet, found: Poles) -> Bool[Array, ""]:
    """Whether all zeros of 1/G close to the real axis are among the poles found."""
    sheet, found = lax.stop_gradient((sheet, found))
    sectors = np.arange(sheet.sides.size)[:, None]
    belongs = found.exist[None, :] & (np.asarray(found.sector) == sectors)
    agree = has_all_zeros(sheet, found.frequencies, belongs)
    gap = sheet.system.spectral_density(sheet.sides) == 0.0
    return jnp.all((gap | agree)[np.unique(found.sector)])


def _resonances(sheet: Sheet) -> Poles:
    fixed = lax.stop_gradient(sheet)
    found = resonant(fixed, Survey.of(fixed))
    return Poles(*_residues(sheet, found), found.exist, found.sector)


def _residues(sheet: Sheet, found: Found) -> tuple[Array, Array]:
    """Frequencies and residues 1 / (1/G)'; 0 where there is no pole."""
    away = sheet.sides[np.asarray(found.sector, int)].astype(complex) - NOWHERE * sheet.level
    z = jnp.where(found.exist, found.z, lax.stop_gradient(away))
    z = _implicit(sheet, Found(z, found.exist, found.sector))
    _, slope = with_slope(lambda z: sheet.continued_inverse(z, found.sector), z)
    # Where two poles merge the slope may vanish; without them u(0) is not 1, which is noticed.
    # At an edge where J rises like a square root the slope is infinite.
    simple = found.exist & (slope != 0.0) & jnp.isfinite(slope)
    residues = jnp.where(simple, 1.0 / jnp.where(simple, slope, 1.0), 0.0)
    return jnp.where(found.exist, z, away), residues


def _bound(found: Found, z: Complex[Array, " gaps"], residues: Array) -> BoundStates:
    return BoundStates(jnp.where(found.exist, z.real, jnp.nan), residues.real, found.exist)


@eqx.filter_custom_jvp
def _implicit(sheet: Sheet, found: Found) -> Complex[Array, " z"]:
    """The zeros of 1/G that were found, as differentiable functions of the system's parameters."""
    del sheet
    return found.z


@_implicit.def_jvp
def _implicit_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Any]:
    # dz = -d(1/G) / (1/G)', where z is differentiable in turn: this gives derivatives of any order.
    (sheet, found), (d_sheet, _) = primals, tangents
    z = _implicit(sheet, found)
    _, slope = with_slope(lambda z: sheet.continued_inverse(z, found.sector), z)
    inverse = partial(Sheet.continued_inverse, z=z, sector=found.sector)
    _, change = eqx.filter_jvp(inverse, (sheet,), (d_sheet,))
    # Poles that merge have no derivative.
    slope = jnp.where(slope == 0.0, 1.0, slope)
    return z, jnp.zeros_like(z) if change is None else -change / slope
