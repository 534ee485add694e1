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
# # One cavity, one reservoir
#
# A cavity of frequency $\omega_s$ starts with exactly five photons and meets a hot Ohmic reservoir,
# $J(\omega) = \eta\,\omega\,e^{-\omega/\omega_c}$. At weak coupling it warms up until it has the
# reservoir's temperature. Stronger coupling shifts that temperature, and above a critical coupling
# the cavity never forgets how it started. Everything here is exact, for any coupling: no
# Born-Markov approximation is made. Energies are in units of $\omega_s$, times in $1/\omega_s$.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import bathax as bx

plt.style.use("bathax.plot.bathax")


def panels(*labels):
    """A row of axes with time below and these labels beside them."""
    size = (3.3 * len(labels), 2.8)
    _, axes = plt.subplots(1, len(labels), figsize=size, layout="constrained", squeeze=False)
    for ax, label in zip(axes[0], labels, strict=True):
        ax.set(xlabel=r"$\omega_s t$", ylabel=label)
    return axes[0]


# %% [markdown]
# ## Weak coupling: the cavity thermalises
#
# The critical coupling of this reservoir is $\eta_c = \omega_s/\omega_c = 0.2$. We take a tenth of
# it. One call solves the dynamics and gives energy, entropy, and the temperature
# $T = \dot E/\dot S$ far from equilibrium, which rises to that of the reservoir (grey) and somewhat
# beyond. The grid is fixed here so that everything below shares one compiled program; without
# `points` the solver chooses it.

# %%
critical, hot = 0.2, 20.0
ts, solver = jnp.linspace(0.0, 40.0, 201), bx.Volterra(points=2**12, rtol=1e-6)
cavities = {
    ratio: bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(ratio * critical, 5.0), temperature=hot))
    for ratio in (0.1, 0.5, 0.9, 1.5)
}
weak = bx.solve(cavities[0.1], bx.Fock(5), ts, solver)

energy, entropy, temperature = panels("$E$", "$S$", "$T$")
energy.plot(weak.t, weak.energy)
entropy.plot(weak.t, weak.entropy)
temperature.plot(weak.t, weak.temperature)
_ = temperature.axhline(hot, color="0.6", lw=0.8)

# %% [markdown]
# ## How far to trust the numbers
#
# Every quantity comes with an estimate of its error under the same name in `error`. To see that it
# means something, take half as many grid points: the estimate grows, and what really changed stays
# below it. The status says whether the tolerance `rtol` was reached.

# %% tags=["warns"]
coarse = bx.solve(cavities[0.1], bx.Fock(5), ts, bx.Volterra(points=2**11, rtol=1e-6))
print("status:", weak.message, "/", coarse.message)
for name in ("u", "v", "energy", "temperature"):
    change = jnp.max(jnp.abs(getattr(coarse, name) - getattr(weak, name))[1:])
    estimates = [float(jnp.max(getattr(s.error, name)[1:])) for s in (weak, coarse)]
    print(f"{name:12} estimated {estimates[0]:.0e}; coarse: {estimates[1]:.0e}, true {change:.0e}")

# %% [markdown]
# ## Stronger coupling: one steady state, at another temperature
#
# The final temperature exceeds that of the reservoir, and diverges as $\eta \to \eta_c$. The whole
# is still in equilibrium at $T_0$; but the static response of the mode has softened from $\omega_s$
# to $\omega_s(1 - \eta/\eta_c)$, and a classical mode then holds $T_0/\omega_s(1 - \eta/\eta_c)$
# photons. (The weakest coupling shown has not quite arrived at $t = 40$.) Many couplings are one
# `vmap`.

# %%
ratios = jnp.linspace(0.1, 0.6, 11)
final = jax.vmap(
    lambda ratio: bx.solve(
        bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(ratio * critical, 5.0), temperature=hot)),
        bx.Fock(5),
        ts,
        solver,
    ).temperature[-1]
)(ratios)

(ax,) = panels("$T(40)$")
ax.plot(ratios, final, "o", label="exact")
ax.plot(ratios, hot / (1.0 - ratios), color="0.4", label=r"$T_0/(1-\eta/\eta_c)$")
ax.set_xlabel(r"$\eta/\eta_c$")
_ = ax.legend()

# %% [markdown]
# ## Above the critical coupling: a bound state
#
# The reservoir has no modes below $\omega = 0$, so that a mode of the whole at such a frequency
# cannot decay. It exists where $\omega - \omega_s = \Delta(\omega)$ has a solution at $\omega < 0$.
# The level shift $\Delta$ is deepest at $\omega = 0$, where it is $-\eta\,\omega_c$: the curves
# cross once $\eta\,\omega_c > \omega_s$.

# %%
w = jnp.linspace(-1.5, -1e-3, 300)
(ax,) = panels(r"$\Delta(\omega)$")
for ratio, cavity in cavities.items():
    ax.plot(w, cavity.level_shift(w), label=rf"$\eta = {ratio}\,\eta_c$")
ax.plot(w, w - 1.0, "k--", label=r"$\omega - \omega_s$")
bound = bx.bound_states(cavities[1.5])
frequency, residue = bound.frequencies[0], bound.residues[0]
ax.plot(frequency, frequency - 1.0, "ko")
ax.set_xlabel(r"$\omega/\omega_s$")
ax.legend()
print(f"bound state at {frequency:.6f} with residue Z = {residue:.6f}")

# %% [markdown]
# A share $Z^2$ of the initial photons stays in it for good, so that the energies that start with
# one and with five photons never meet. The oscillation is the beat between the bound state and the
# edge of the continuum. It is not permanent: with a single bound state it dies out like $1/t$.

# %%
share, energy = panels(r"$|u|^2$", "$E$")
for n in (1, 5):
    strong = bx.solve(cavities[1.5], bx.Fock(n), ts, solver)
    energy.plot(strong.t, strong.energy, label=rf"$n_0 = {n}$")
share.plot(strong.t, jnp.abs(strong.u) ** 2)
share.axhline(residue**2, color="0.6", lw=0.8)
_ = energy.legend()

# %% [markdown]
# ## Gradients
#
# The solution is differentiable in every parameter. How does the temperature at $t = 20$ respond to
# the coupling? The classical law above gives $T_0/\eta_c(1-\eta/\eta_c)^2$ for late times; a
# difference of two solutions checks the derivative itself.

# %%
gradient = jax.grad(
    lambda eta: bx.solve(
        bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=hot)),
        bx.Fock(5),
        ts,
        solver,
    ).temperature[100]
)(0.1)
below, above = (
    bx.solve(
        bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=hot)), bx.Fock(5), ts, solver
    ).temperature[100]
    for eta in (0.1 - 1e-4, 0.1 + 1e-4)
)
print(f"dT/d eta at t = {ts[100]:g}: {gradient:.6f}")
print(f"difference quotient: {(above - below) / 2e-4:.6f}")
print(f"classical law for late times: {hot / critical / (1 - 0.1 / critical) ** 2:.1f}")
