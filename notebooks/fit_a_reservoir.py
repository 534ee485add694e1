# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # An Ohmic reservoir from a Fock state that decays
#
# A cavity is prepared with five photons, and some time later its photons are counted. From the
# mean numbers, each with its error, we want the reservoir: how strongly it couples, up to which
# frequency, and how hot it is. The data here are synthetic, so that the answer is known. Energies
# are in units of $\omega_s$, times in $1/\omega_s$.

# %%
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import bathax as bx

plt.style.use("bathax.plot.bathax")

SOLVER = bx.Resonance(nodes=192, rtol=1e-6)


def panels(*labels):
    """A row of axes with time below and these labels beside them."""
    size = (3.3 * len(labels), 2.8)
    _, axes = plt.subplots(1, len(labels), figsize=size, layout="constrained", squeeze=False)
    for ax, label in zip(axes[0], labels, strict=True):
        ax.set(xlabel=r"$\omega_s t$", ylabel=label)
    return axes[0]


def number(ts, state, eta, cutoff, kT0):
    """Mean number of photons of a cavity in an Ohmic reservoir."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, cutoff), kT0))
    return {"number": bx.solve(cavity, state, ts, SOLVER).number}


# %% [markdown]
# ## Data
#
# Times may be in any order and as uneven as the experiment makes them. Errors are standard
# deviations, each value with its own. A missing value is NaN.

# %%
TRUTH = {"eta": 0.02, "cutoff": 4.0, "kT0": 1.5}
rng = np.random.default_rng(2)
times = rng.permutation(np.concatenate([rng.uniform(0.1, 4.0, 25), rng.uniform(4.0, 30.0, 25)]))
exact = np.asarray(number(jnp.sort(jnp.asarray(times)), bx.Fock(5), **TRUTH)["number"])
exact = exact[np.argsort(np.argsort(times))]
errors = 0.02 * np.sqrt(exact)
counted = exact + errors * rng.normal(size=len(times))
counted[7] = np.nan
data = bx.Data(times, number=(counted, errors))

# %% [markdown]
# ## The fit
#
# The model is any function of named parameters that returns quantities at `data.t`. The search is
# Levenberg-Marquardt with exact derivatives, from six starts, in logarithms of what is positive.

# %%
START = {"eta": 0.01, "cutoff": 6.0, "kT0": 1.0}


def decaying(**parameters):
    return number(data.t, bx.Fock(5), **parameters)


found = bx.fit(decaying, data, START)
print(found)

# %% [markdown]
# The bands are standard errors of what the fit foretells, of the data and of $J(\omega)$ itself;
# the truth is dashed. That of the data is hardly wider than its line.

# %%
ts, w = jnp.linspace(0.0, 30.0, 151), jnp.linspace(0.02, 20.0, 200)
curve = found.band(lambda **parameters: number(ts, bx.Fock(5), **parameters)["number"])
density = found.band(lambda eta, cutoff, **_: bx.Ohmic(eta, cutoff)(w))

left, right = panels(r"$\langle n \rangle$", r"$J(\omega)$")
left.errorbar(times, counted, errors, fmt=".", ms=4, lw=0.8, color="0.4")
left.plot(ts, curve.value)
left.fill_between(ts, curve.value - curve.error, curve.value + curve.error, alpha=0.4, lw=0)
right.plot(w, density.value)
right.fill_between(w, density.value - density.error, density.value + density.error, alpha=0.3, lw=0)
right.plot(w, bx.Ohmic(TRUTH["eta"], TRUTH["cutoff"])(w), "k--", lw=0.8)
_ = right.set(xlabel=r"$\omega/\omega_s$", ylim=(0.0, None))

# %% [markdown]
# ## How well is the cutoff known?
#
# The cavity sees the reservoir mostly at its own frequency; the tail of $J$ shifts it, which a
# photon number does not show. So the cutoff follows from the first moments only, and its errors
# are not symmetric. The profile likelihood fits the other parameters again for each value of the
# cutoff: where it has risen by 1 is the 68% interval, which the parabola of the covariance
# (dashed) misses on the side of large cutoffs.

# %%
best, error = float(found.parameters["cutoff"]), float(found.errors["cutoff"])
cutoffs = best + error * np.linspace(-2.5, 4.0, 14)
profile = found.profile("cutoff", cutoffs)
(ax,) = panels(r"$\chi^2 - \chi^2_{\min}$")
ax.plot(profile.values, profile.excess, "o-", ms=3)
ax.plot(cutoffs, ((cutoffs - best) / error) ** 2, "k--", lw=0.8)
ax.axhline(1.0, color="0.6", lw=0.8)
ax.axvline(TRUTH["cutoff"], color="0.6", lw=0.8)
_ = ax.set(xlabel=r"$\omega_c/\omega_s$")

# %% [markdown]
# ## When to measure next
#
# What one more count with an error like the others would add to what is known, in nats, depends on
# when it is made. Early it tells of the cutoff, around $t = 10$ of the rate of decay, and late of
# the temperature: that is worth most, and more the closer the cavity has come to equilibrium.

# %%
later = jnp.linspace(0.5, 80.0, 160)


def foretold(**parameters):
    return number(later, bx.Fock(5), **parameters)["number"]


gain = found.information_gain(foretold, 0.02 * np.sqrt(found.band(foretold).value))
(ax,) = panels("gain in nats")
ax.plot(later, gain)
_ = ax.set_ylim(0.0, None)

# %% [markdown]
# ## Two experiments on one reservoir
#
# A cavity that starts empty warms up in the same reservoir. Fitted together, with lists of data
# and of results, the two runs share the parameters.

# %%
empty_times = np.linspace(0.5, 30.0, len(times))
filling = np.asarray(number(jnp.asarray(empty_times), bx.Fock(0), **TRUTH)["number"])
filled = bx.Data(empty_times, number=(filling + 0.005 * rng.normal(size=len(times)), 0.005))


def both(**parameters):
    return [number(data.t, bx.Fock(5), **parameters), number(filled.t, bx.Fock(0), **parameters)]


together = bx.fit(both, [data, filled], START)
print(together)
for name in START:
    print(f"{name:8} error {found.errors[name]:.2g} alone, {together.errors[name]:.2g} together")
