"""The claim of NP on the conditions of equilibration, where a qubit has a bound state."""

from collections.abc import Callable

from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, listed
from bathax.papers.np.binding import ABOVE, COLD_STOP, GAP_STOP, Bound
from bathax.papers.np.parameters import CRITICAL, GAP
from bathax.papers.np.results import Results


def conditions(results: Results) -> Claim:
    """Whether D -> 0 needs a coupling below the critical one, and J > 0 at w_s."""
    above, gap, left = results.binding
    vacuum = [float(case.maps[0.0].determinant[-1]) for case in (above, gap)]
    rates = [case.decay(T) for case in (above, gap) for T in case.maps if T > 0.0]
    holds_in_vacuum = all(
        abs(d - case.share) < 0.01 for d, case in zip(vacuum, (above, gap), strict=True)
    )
    falls_when_warm = all(rate.value > 3.0 * rate.error for rate in rates)
    low, high = GAP.center - GAP.half_width, GAP.center + GAP.half_width
    return Claim(
        "NP conditions",
        "The qubit equilibrates with its reservoir as long as technical conditions, a weak "
        "coupling and an ordinary reservoir, ensure that D -> 0.",
        f"Ohmic, eta = {ABOVE / CRITICAL:g} eta_c; a semicircular band from {low:g} to {high:g} "
        f"above w_s, eta = {GAP.eta:g}",
        (
            f"kT0 = 0: D tends to the squared weight Z^2 of the bound state, {above.share:.4f} "
            f"above eta_c and {gap.share:.4f} in the gap; it is {vacuum[0]:.4f} at t = "
            f"{COLD_STOP:g} and {vacuum[1]:.4f} at t = {GAP_STOP:g}. There the conditions are "
            "needed",
            f"kT0 > 0: D falls on from there like an exponential, above eta_c {_falls(above)}; "
            f"in the gap {_falls(gap)}. Quanta of the reservoir that meet the bound one set it "
            "free: D -> 0 without the conditions, but the more slowly the colder it is",
            f"D at t = {COLD_STOP:g} and the lowest kT0 > 0, {left.temperatures[1]:g}, for eta / "
            f"eta_c = {listed(left.ratios, 'g')}: {listed(left.determinant[:, 1], '.3f')}",
            "a mode in place of the atom keeps Z^2 at every temperature, since its u(t) does not "
            "depend on it",
        ),
        PARTLY if holds_in_vacuum and falls_when_warm else AGREES if holds_in_vacuum else DISAGREES,
    )


def _falls(case: Bound) -> str:
    """D in the end and its rate of decay, by temperature."""
    warm = {T: (float(dmap.determinant[-1]), case.decay(T)) for T, dmap in case.maps.items() if T}
    return ", ".join(
        f"to {d:.3f} with the rate {rate.value:.1e} ± {rate.error:.0e} (kT0 = {T:g})"
        for T, (d, rate) in warm.items()
    )


CLAIMS: tuple[Callable[[Results], Claim], ...] = (conditions,)
