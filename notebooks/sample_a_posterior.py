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
# # The posterior of an Ohmic reservoir
#
# A fit gives the best parameters and a covariance: a normal distribution around them. Where data
# are few that is not the whole truth. Here the whole posterior of a reservoir is sampled through
# the exact solution, and compared with the covariance and with the profile likelihood of a fit.
# Energies are in units of $\omega_s$, times in $1/\omega_s$.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import bathax as bx

try:
    import blackjax
except ModuleNotFoundError:
    blackjax = None
    print("Package `blackjax` is missing; pip install 'bathax[bayes]' adds what is sampled.")

plt.style.use("bathax.plot.bathax")


def panels(*labels):
    """A row of axes with these labels below them."""
    size = (2.6 * len(labels), 2.6)
    _, axes = plt.subplots(1, len(labels), figsize=size, layout="constrained", squeeze=False)
    for ax, label in zip(axes[0], labels, strict=True):
        ax.set_xlabel(label)
    return axes[0]


# %% [markdown]
# ## Data and model
#
# A cavity starts with five photons, which are counted at 50 times, with errors of 3% of the root of
# their number. The data are synthetic, so that the answer is known. `Volterra` with 1,024 points is
# exact to $10^{-4}$, much less than the errors.

# %%
TRUTH = {"cutoff": 4.0, "eta": 0.02, "kT0": 1.5}
SOLVER = bx.Volterra(rtol=1e-3, points=1024)
times = jnp.linspace(0.4, 20.0, 50)


def counted(cutoff, eta, kT0):
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, cutoff), kT0))
    return {"number": bx.solve(cavity, bx.Fock(5), times, SOLVER).number}


exact = np.asarray(counted(**TRUTH)["number"])
errors = 0.03 * np.sqrt(exact)
noise = np.random.default_rng(4).normal(size=len(exact))
data = bx.Data(times, number=(exact + errors * noise, errors))

# %% [markdown]
# ## The fit

# %%
found = bx.fit(counted, data, {"cutoff": 5.0, "eta": 0.01, "kT0": 1.0})
print(found)

# %% [markdown]
# ## The posterior
#
# `log_likelihood` is the logarithm of
#
# $$ L = \prod_i \frac{1}{\sqrt{2\pi}\,\sigma_i}
#    \exp\left[-\frac{(N(t_i) - N_i)^2}{2\sigma_i^2}\right], $$
#
# for the same model and data. It works under `jit` and `grad`, so that any sampler in JAX takes it.
# The prior is broad: each parameter is known within a factor of two, as a normal distribution of
# its logarithm. The logarithms are also what is sampled: all parameters are positive.

# %%
GUESS = jnp.log(jnp.array([5.0, 0.02, 1.5]))


@jax.jit
def log_posterior(logs):
    parameters = dict(zip(found.labels, jnp.exp(logs), strict=True))
    log_prior = -0.5 * jnp.sum(((logs - GUESS) / jnp.log(2.0)) ** 2)
    return bx.log_likelihood(counted, data, parameters) + log_prior


best = jnp.log(found.best)
covariance = jnp.asarray(found.covariance / np.outer(found.best, found.best))
log_posterior(best), jax.grad(log_posterior)(best)

# %% [markdown]
# Hamiltonian Monte Carlo moves along trajectories of the posterior, of three steps each. The fit
# has done the rest already: chains start at its minimum, and its covariance is the metric, so that
# no warm-up is needed. Four chains run side by side. They agree if $\hat R$ is close to 1.

# %%
if blackjax:
    hmc = blackjax.hmc(log_posterior, 0.6, covariance, num_integration_steps=3)

    @jax.jit
    @jax.vmap
    def chain(key):
        def step(state, key):
            state, info = hmc.step(key, state)
            return state, (state.position, info.acceptance_rate)

        return jax.lax.scan(step, hmc.init(best), jax.random.split(key, 250))[1]

    logs, accepted = chain(jax.random.split(jax.random.key(0), 4))
    draws = np.exp(np.reshape(logs[:, 25:], (-1, 3)))
    reduction = blackjax.diagnostics.potential_scale_reduction(logs[:, 25:])
    print(f"R = {np.array2string(reduction, precision=3)}, accepted {accepted.mean():.0%}")
    for label, values, value, error in zip(
        found.labels, draws.T, found.best, found.errors.values(), strict=True
    ):
        print(f"{label:8} posterior {values.mean():.4f} ± {values.std():.4f},", end=" ")
        print(f"fit {value:.4f} ± {error:.4f}")

# %% [markdown]
# ## Beside the fit
#
# Histograms are the posterior, dashed lines the normal distribution of the fit, grey lines the
# truth. The points are the profile likelihood, $\exp(-\Delta\chi^2/2)$, where all other parameters
# are fitted again. It leans to the side as the posterior does, and the covariance does not.

# %%
axes = panels(r"$\omega_c/\omega_s$", r"$\eta$", r"$k_BT_0/\hbar\omega_s$")
for k, (ax, label) in enumerate(zip(axes, found.labels, strict=True)):
    value, error = float(found.best[k]), float(found.errors[label])
    x = value + error * np.linspace(-3.2, 4.0, 181)
    height = 1.0 / (np.sqrt(2.0 * np.pi) * error)
    profile = found.profile(label, x[::15])
    if blackjax:
        ax.hist(draws[:, k], bins=32, range=x[[0, -1]], density=True, alpha=0.4)
    ax.plot(x, height * np.exp(-0.5 * ((x - value) / error) ** 2), "k--", lw=0.9)
    ax.plot(profile.values, height * np.exp(-0.5 * profile.excess), "oC2", ms=3.5, mfc="none")
    ax.axvline(TRUTH[label], color="0.6", lw=0.8)
    ax.set_ylim(0.0, None)
_ = axes[0].set_ylabel("density")

# %% [markdown]
# ## What follows for the density
#
# Anything that depends on the parameters follows draw by draw. Shaded is the middle 68% of the
# draws. The band of the covariance (dashed, of first order in the errors) lies below it in the tail
# of $J(\omega)$: cutoffs far above the best one agree with the data, cutoffs far below do not.

# %%
w = jnp.linspace(0.02, 20.0, 200)
band = found.band(lambda cutoff, eta, **_: bx.Ohmic(eta, cutoff)(w))
(ax,) = panels(r"$\omega/\omega_s$")
if blackjax:
    drawn = jax.vmap(lambda cutoff, eta, _: bx.Ohmic(eta, cutoff)(w))(*draws.T)
    ax.fill_between(w, *np.quantile(drawn, [0.16, 0.84], axis=0), alpha=0.4, lw=0)
ax.plot(w, band.value - band.error, "k--", w, band.value + band.error, "k--", lw=0.8)
ax.plot(w, bx.Ohmic(TRUTH["eta"], TRUTH["cutoff"])(w), color="0.6", lw=0.8)
_ = ax.set(ylabel=r"$J(\omega)$", ylim=(0.0, None))
