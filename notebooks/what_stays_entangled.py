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
# # Two cavities, one bath: what stays entangled
#
# Two equal cavities are squeezed together, so that they are entangled, and then left alone with
# their surroundings. If each of them has a bath of its own, entanglement ends at a finite time.
# If both are coupled to the same bath, it acts on their sum only. Their difference is a dark
# mode, and what it holds stays for ever. Energies are in units of the frequency of the
# cavities.

# %%
import jax.numpy as jnp
import matplotlib.pyplot as plt

import bathax as bx

plt.style.use("bathax.plot.bathax")
ts = jnp.linspace(0.0, 60.0, 121)


def cavities(couplings, temperature):
    """Two cavities, one bath for each vector of couplings."""
    bath = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=temperature)
    return bx.LinearSystem(jnp.eye(2), [bx.Channel(bath, c) for c in couplings])


# %% [markdown]
# ## The start
#
# $\langle a_j^\dagger a_i\rangle = \sinh^2 r\,\delta_{ij}$ and $\langle a_1 a_2\rangle =
# \frac12 \sinh 2r$, a pure state with logarithmic negativity $2r$.

# %%
r = 0.8
n = jnp.sinh(r) ** 2 * jnp.eye(2)
m = 0.5 * jnp.sinh(2.0 * r) * jnp.array([[0.0, 1.0], [1.0, 0.0]])
squeezed = bx.Covariance(n, anomalous=m)
print(f"E_N = {bx.logarithmic_negativity(n, 0, 1, m):.6f}")

# %% [markdown]
# ## Two baths or one

# %%
settings = {
    "two baths": ([[1.0, 0.0], [0.0, 1.0]], 0.5),
    "one bath": ([[0.5**0.5, 0.5**0.5]], 0.5),
    "one bath, warmer": ([[0.5**0.5, 0.5**0.5]], 2.0),
}
_, (left, right) = plt.subplots(1, 2, figsize=(6.6, 2.8), layout="constrained")
for name, (couplings, temperature) in settings.items():
    sol = bx.solve(cavities(couplings, temperature), squeezed, ts)
    shared = bx.mode_correlations(sol, 0, 1)
    left.plot(ts, shared.entanglement, label=name)
    right.plot(ts, shared.mutual_information)
    print(f"{name}: E_N = {shared.entanglement[-1]:.3f} at the end")
left.set(xlabel="$t$", ylabel=r"$E_\mathcal{N}$")
right.set(xlabel="$t$", ylabel="mutual information")
left.legend()
