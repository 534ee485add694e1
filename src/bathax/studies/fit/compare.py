"""Models of the same data, compared."""

from collections.abc import Mapping

import numpy as np

from bathax._checks import require
from bathax.studies.fit.data import count_of
from bathax.studies.fit.result import Fit


def compare(fits: Mapping[str, Fit]) -> dict[str, dict[str, float]]:
    """Models of the same data, the most probable first: sizes, chi^2, criteria, weights.

    `weight` is Akaike's, exp(-(aic - least aic) / 2), normalised: the probability that a model is,
    among these, the one that predicts best. `p_value` tells whether it agrees with the data.

    >>> t = np.linspace(0.0, 10.0, 21)
    >>> data = bx.Data(t, energy=(5.0 * np.exp(-0.2 * t), 0.1))
    >>> damped = lambda rate: {"energy": 5.0 * jnp.exp(-rate * data.t)}
    >>> found = bx.fit(damped, data, {"rate": 0.5}, starts=1)
    >>> constant = lambda energy: {"energy": energy + 0.0 * data.t}
    >>> other = bx.fit(constant, data, {"energy": 2.0}, starts=1)
    >>> list(bx.compare({"constant": other, "damped": found}))
    ['damped', 'constant']
    """
    counts = {name: count_of(fit.data) for name, fit in fits.items()}
    require(
        "fits", "of the same data", f"of so many numbers: {counts}", len({*counts.values()}) == 1
    )
    order = sorted(fits, key=lambda name: fits[name].aic)
    aic = np.array([fits[name].aic for name in order])
    weights = np.exp(-0.5 * (aic - aic.min()))
    weights /= weights.sum()
    return {
        name: {
            "size": fits[name].size,
            "chi2": fits[name].chi2,
            "freedom": fits[name].freedom,
            "aic": fits[name].aic,
            "bic": fits[name].bic,
            "p_value": fits[name].p_value,
            "weight": float(weight),
        }
        for name, weight in zip(order, weights, strict=True)
    }
