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
# # Critical points, found and differentiated
#
# A cavity in an Ohmic reservoir thermalises below a critical coupling $\eta_c$, and remembers its
# start above it. Below it there is another border: for reservoirs colder than $k_BT_0^*$ the
# temperature $T(t) = \dot E/\dot S$ diverges on the way to the steady state. Both are roots of
# something, found here without scanning, and with derivatives. Energies are in units of
# $\omega_s$, times in $1/\omega_s$.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import bathax as bx

plt.style.use("bathax.plot.bathax")


def cavity(eta, exponent=1.0, temperature=1.0):
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0, exponent), temperature)
    return bx.Cavity(1.0, bath)


# %% [markdown]
# ## The critical coupling
#
# A bound state appears below the support of $J$ when $-\omega_s - \Sigma(0)$ changes sign. $\Sigma$
# is proportional to $J$, so that the critical factor on $J$ is known at once:
# $\eta_c = \omega_s / \omega_c\Gamma(s)$ for this family.


# %%
def critical(exponent):
    return 0.1 * bx.critical_coupling(cavity(0.1, exponent))


print("eta_c:", critical(1.0), " d eta_c / ds:", jax.grad(critical)(1.0))

# %% [markdown]
# ## What the poles do there
#
# Below $\eta_c$ the slowest pole of the propagator is a resonance, which decays; as the coupling
# grows its frequency goes to the edge at 0, where it becomes the bound state, real and for ever.

# %%
etas = jnp.linspace(0.02, 0.4, 96)
slowest = jax.vmap(lambda eta: bx.resonances(cavity(eta)).frequencies[0])(etas)
bound = jax.vmap(lambda eta: bx.bound_states(cavity(eta)).frequencies[0])(etas)
below = etas < critical(1.0)
fig, ax = plt.subplots(figsize=(4.6, 3.0), layout="constrained")
ax.plot(etas[below], slowest.real[below], label=r"resonance, Re $z_p$")
ax.plot(etas[below], -2.0 * slowest.imag[below], label=r"its width $\Gamma$")
ax.plot(etas, bound, label=r"bound state $\omega_b$")
ax.axvline(critical(1.0), color="0.6", lw=0.8)
ax.set(xlabel=r"$\eta$", ylabel=r"$\omega\,/\,\omega_s$")
ax.legend()

# %% [markdown]
# ## Where $T(t)$ stops diverging
#
# In the end the cavity relaxes with its resonance, which behaves as if filled with $n_p$ quanta:
# from fewer, energy and entropy rise to the end; from more, both come down, and the entropy has
# passed a maximum where $T$ is infinite. $k_BT_0^*$ is where $n_p = n_0$.

# %%
warm = bx.critical_temperature(cavity(0.02), 5)
print("kT0* at eta = 0.1 eta_c:", warm, " without coupling:", 1.0 / jnp.log(1.2))
print("d kT0* / d eta:", jax.grad(lambda eta: bx.critical_temperature(cavity(eta), 5))(0.02))

# %%
ts = jnp.linspace(10.0, 400.0, 400)
fig, ax = plt.subplots(figsize=(4.6, 3.0), layout="constrained")
star = bx.critical_temperature(cavity(0.002), 5)
for factor in (0.9, 0.97, 1.03, 1.1):
    sol = bx.solve(cavity(0.002, temperature=factor * star), bx.Fock(5), ts, bx.Resonance())
    ax.plot(ts, sol.entropy - sol.entropy[-1], label=rf"$T_0 = {factor:g}\,T_0^*$")
ax.axhline(0.0, color="0.6", lw=0.5)
ax.set(xlabel=r"$\omega_s t$", ylabel=r"$S(t) - S(400)$", ylim=(-0.01, 0.003))
ax.legend()

# %% [markdown]
# ## A line of your own
#
# `critical_line` follows $f(x, y) = 0$ through a plane, here the couplings and cutoffs at which the
# steady state has twice the temperature of the reservoir.


# %%
def twice(point):
    eta, cutoff = point
    bath = bx.Reservoir(bx.Ohmic(eta, cutoff), 4.0)
    return bx.long_time_limit(bx.Cavity(1.0, bath)).temperature(bx.Fock(1)) - 8.0


start = bx.find_critical(lambda eta: twice((eta, 5.0)), (0.02, 0.19))
line = bx.critical_line(twice, (start, 5.0), (-0.005, 0.3), 24)
fig, ax = plt.subplots(figsize=(4.6, 3.0), layout="constrained")
ax.plot(*line.T, label=r"$T(\infty) = 2T_0$")
ax.plot(1.0 / line[:, 1], line[:, 1], color="k", lw=0.8, label=r"$\eta_c$")
ax.set(xlabel=r"$\eta$", ylabel=r"$\omega_c\,/\,\omega_s$")
ax.legend()
