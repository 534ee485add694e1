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
# # How a qubit forgets
#
# A two-level atom of frequency $\omega_s$ meets a thermal Ohmic reservoir,
# $J(\omega) = \eta\,\omega\,e^{-\omega/\omega_c}$. Its state at any later time follows from three
# functions of time: $\rho_{11}(t) = P_{11}\rho_{11}(0) + (1-P_{00})\rho_{00}(0)$ and
# $\rho_{10}(t) = c(t)\,\rho_{10}(0)$. Two initial states differ in their populations by
# $D = P_{11} + P_{00} - 1$ times what they differed by at first: the qubit has forgotten where it
# started once $D = 0$. Everything here is exact, for any coupling and temperature. Energies are in
# units of $\omega_s$, times in $1/\omega_s$.

# %%
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
# ## The map, and the exponential law
#
# One call solves the hierarchy of equations of motion. Its size is fixed here, so that all cases
# share a compiled program; without `depth` and `modes` the solver chooses it for a tolerance. At
# weak coupling the golden rule (van Hove's limit, dashed) says
# $D = e^{-\Gamma t}$, $\Gamma = 2\pi J(\omega_s)(2n+1)$.

# %%
ts = jnp.linspace(0.0, 25.0, 251)
solver = bx.Hierarchy(depth=9, modes=14, rtol=1e-3)
qubits = {
    eta: bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=1.0))
    for eta in (0.01, 0.03, 0.1)
}
maps = {eta: bx.dynamical_map(qubit, ts, solver) for eta, qubit in qubits.items()}

(ax,) = panels("$D$")
for index, (eta, exact) in enumerate(maps.items()):
    golden = bx.dynamical_map(qubits[eta], ts, bx.VanHove())
    ax.plot(ts, exact.determinant, color=f"C{index}", label=rf"$\eta = {eta}$")
    ax.plot(ts, golden.determinant, "--", color=f"C{index}", lw=0.8)
    print(f"eta = {eta}: {exact.message} Error of P11: {jnp.max(exact.error.p11):.0e}")
_ = ax.legend()

# %% [markdown]
# ## Merging
#
# The excited populations of an atom that starts excited ($P_{11}$) and of one that starts in its
# ground state ($1-P_{00}$) come together as $D$ vanishes. At weak coupling they meet at the
# Boltzmann factor (dashed).

# %%
boltzmann = 1.0 / (1.0 + jnp.exp(1.0))
for ax, (eta, exact) in zip(panels(r"$\rho_{11}$", "", ""), maps.items(), strict=True):
    ax.plot(ts, exact.p11)
    ax.plot(ts, 1.0 - exact.p00)
    ax.axhline(boltzmann, color="k", ls="--", lw=0.8)
    ax.set(title=rf"$\eta = {eta}$", ylim=(0.0, 1.0))

# %% [markdown]
# ## Rates that remember
#
# The map obeys a master equation without any memory integral, whose three rates depend on time.
# They are not constant, as the golden rule has it: the rate of dephasing $\gamma_z$ is negative for
# long stretches (shaded), while the map stays completely positive.

# %%
for ax, name in zip(
    panels(r"$\gamma_-$", r"$\gamma_+$", r"$\gamma_z$"),
    ("gamma_minus", "gamma_plus", "gamma_z"),
    strict=True,
):
    ax.plot(ts, getattr(maps[0.03], name))
    for start, stop in bx.negative_rate_intervals(maps[0.03], name):
        ax.axvspan(start, stop, color="C2", alpha=0.15, lw=0.0)
margin = jnp.min(maps[0.03].complete_positivity_margin)
print(f"smallest eigenvalue of the Choi matrix: {margin:.0e}")

# %% [markdown]
# ## Strong coupling: through zero and back
#
# At $\eta = 0.1$ the determinant passes zero. At that instant all populations agree, yet the qubit
# has not forgotten: the difference comes back with the other sign. The map is regular there, but
# the rates have a pole, and are masked where they are not known.

# %%
strong = maps[0.1]
determinant, rate = panels("$D$", r"$\gamma_-$")
determinant.plot(ts, strong.determinant)
determinant.set(ylim=(-0.03, 0.05))
determinant.axhline(0.0, color="0.6", lw=0.8)
rate.plot(ts, jnp.where(jnp.abs(strong.gamma_minus) < 6.0, strong.gamma_minus, jnp.nan))
rate.set(xlim=determinant.get_xlim())
known = ts[strong.rates_resolved]
print(f"D is lowest, {jnp.min(strong.determinant):.4f}, at t = {ts[strong.determinant.argmin()]:g}")
print(f"rates are known at {len(known)} of {len(ts)} times, the last one t = {known[-1]:g}")

# %% [markdown]
# Two measures of this memory: the revival of the trace distance of the best pair of states (Breuer,
# Laine, Piilo) and the integral of the negative rates (Rivas, Huelga, Plenio). The first counts
# what returns, the second diverges at a zero of $D$.

# %%
for eta, exact in maps.items():
    revival, negative = bx.blp_measure(exact), bx.rhp_measure(exact)
    print(f"eta = {eta}: revivals {revival:.4f}, negative rates {negative:.4f}")

# %% [markdown]
# ## Where it ends
#
# All initial states do merge in the end, but not at Boltzmann's population: what is in equilibrium
# at $T_0$ is the whole, not the bare atom. The shift is of first order in $\eta$. Read as a
# temperature, $T = \omega_s/\ln[(1-p)/p]$ ends above that of the reservoir. `bx.solve` gives it
# along the way, with energy and entropy: from the excited state it goes through $p = 1/2$, where it
# jumps from minus to plus infinity.

# %%
for eta, exact in maps.items():
    final = (1.0 - exact.p00[-1]) / (1.0 - exact.determinant[-1])
    print(
        f"eta = {eta}: p = {final:.4f}, (p - Boltzmann)/eta = {(final - boltzmann) / eta:.2f}, "
        f"T = {1.0 / jnp.log((1.0 - final) / final):.3f}"
    )

solution = bx.solve(qubits[0.1], bx.Excited(), ts, solver)
energy, entropy, temperature = panels("$E$", "$S$", "$T$")
energy.plot(ts, solution.energy)
entropy.plot(ts, solution.entropy)
temperature.plot(ts, jnp.where(jnp.abs(solution.temperature) < 15.0, solution.temperature, jnp.nan))
_ = temperature.axhline(1.0, color="0.6", lw=0.8)
