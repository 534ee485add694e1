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
# # A quantum dot between two leads
#
# One level of energy $\epsilon$ exchanges electrons with two metallic leads, whose bands are
# flat and whose chemical potentials differ. The dot fills, a current sets in, and after some
# time it flows as Landauer's formula says. Everything is exact at any coupling. Energies are in
# units of the coupling $\Gamma$ of both leads together, times in $1/\Gamma$.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import bathax as bx

plt.style.use("bathax.plot.bathax")


def dot(left, right, temperature=0.05, energy=0.5):
    """A level between leads of these chemical potentials."""
    band = bx.FlatBand(gamma=0.5, low=-20.0, high=20.0)
    leads = [bx.Reservoir(band, temperature, mu) for mu in (left, right)]
    return bx.LinearSystem([[energy]], [bx.Channel(lead, [1.0]) for lead in leads], "fermion")


# %% [markdown]
# ## After the leads are connected
#
# The empty dot takes electrons from both leads at first. Then the right lead gains what the
# left one loses. The dots mark the steady state, which is calculated without any time.

# %%
ts = jnp.linspace(0.0, 10.0, 101)
system = dot(1.0, -1.0)
sol, end = bx.solve(system, bx.Covariance([[0.0]]), ts), bx.steady_state(system)
_, (left, right) = plt.subplots(1, 2, figsize=(6.6, 2.8), layout="constrained")
left.plot(ts, sol.number)
left.plot(ts[-1], end.number, "o")
left.set(xlabel=r"$\Gamma t$", ylabel="$n$")
for k, name in enumerate(("left lead", "right lead")):
    right.plot(ts, sol.particle_current[:, k], label=name)
    right.plot(ts[-1], end.particle_current[k], "o", color=f"C{k}")
right.set(xlabel=r"$\Gamma t$", ylabel=r"gain $I / \Gamma$")
right.legend()
print(
    f"steady current: {end.particle_current[1]:.6f}, its error: {end.error.particle_current[1]:.0e}"
)

# %% [markdown]
# ## Current and noise
#
# Each bias $V$ is a point of one batch. The current rises where a chemical potential passes the
# level, and temperature smears the step out. The noise of the current is that of Johnson and
# Nyquist at $V = 0$, and shot noise beyond the step.

# %%
biases = jnp.linspace(-4.0, 4.0, 81)


def current_and_noise(bias, temperature):
    """Of the right lead."""
    system = dot(0.5 * bias, -0.5 * bias, temperature)
    return bx.steady_state(system).particle_current[1], bx.current_noise(system).value[1, 1]


_, (left, right) = plt.subplots(1, 2, figsize=(6.6, 2.8), layout="constrained")
for temperature in (0.02, 0.2, 0.5):
    current, noise = jax.vmap(current_and_noise, (0, None))(biases, temperature)
    left.plot(biases, current, label=rf"$T = {temperature}\,\Gamma$")
    right.plot(biases, noise)
left.set(xlabel=r"$V / \Gamma$", ylabel=r"$I / \Gamma$")
right.set(xlabel=r"$V / \Gamma$", ylabel=r"$S / \Gamma$", ylim=(0.0, None))
left.legend()

# %% [markdown]
# ## What the level looks like
#
# The spectrum of electrons in the dot is a line of width $\Gamma$, as far as the leads fill it:
# fully below both chemical potentials, half between them. Its integral is the occupation.

# %%
w = jnp.linspace(-4.0, 4.0, 801)
spectrum = bx.emission_spectrum(system, w)[:, 0, 0].real
plt.figure(figsize=(4.0, 2.8), layout="constrained")
plt.plot(w, spectrum)
plt.xlabel(r"$\omega / \Gamma$")
plt.ylabel(r"$\Gamma\, S(\omega)$")
