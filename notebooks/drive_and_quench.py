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
# # What a drive costs
#
# Work is what a change of the parameters takes. Done slowly it is the change of the free energy,
# done fast it is more, and the rest heats the reservoir. For a cavity that is coupled strongly to
# its reservoir, which free energy is it? Everything here is exact; energies are in units of the
# first frequency.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import bathax as bx

plt.style.use("bathax.plot.bathax")
BATH = bx.Reservoir(bx.Ohmic(0.05, 5.0), temperature=1.0)
BEFORE, AFTER = 1.0, 2.0

# %% [markdown]
# ## Ramps of the frequency
#
# Cavity and reservoir begin in their joint equilibrium, in which they are correlated: `Equilibrium`
# stands where an initial state stands. The frequency rises from 1 to 2, faster or slower.
# `mean_force` has the free energy of the coupled cavity, that of the whole less that of the
# reservoir alone.


# %%
def ramp(width):
    """The solution of a ramp, until it is over."""
    frequency = bx.Ramp(BEFORE, AFTER, center=4.0 * width, width=width)
    ts = 8.0 * width * jnp.linspace(0.0, 1.0, 81)
    start = bx.Equilibrium(bx.Cavity(BEFORE, BATH))
    return bx.solve(bx.Cavity(frequency, BATH), start, ts, bx.Embedding(rtol=1e-6))


widths = (0.25, 2.0, 16.0)
solutions = [ramp(width) for width in widths]
work = jnp.stack([sol.work[-1] for sol in solutions])
before, after = (bx.mean_force(bx.Cavity(w, BATH)) for w in (BEFORE, AFTER))
slow = after.free_energy - before.free_energy
sudden = (AFTER - BEFORE) * solutions[0].number[0]
print(f"work of the ramps: {', '.join(f'{w:.4f}' for w in work)}")
print(f"infinitely slow {slow:.4f}, sudden {sudden:.4f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.8), layout="constrained")
for width, sol in zip(widths, solutions, strict=True):
    left.plot(sol.t / (8.0 * width), sol.number, label=f"width {width:g}")
left.set(xlabel="time / duration of the ramp", ylabel="$n$")
left.legend()
right.semilogx(widths, work, "o-")
right.axhline(slow, color="0.5", ls="--")
right.set(xlabel="width of the ramp", ylabel="work")

# %% [markdown]
# The dashed line is the change of the free energy of mean force. No ramp takes less: that is the
# second law, and what is above the line is lost.
#
# ## Where the energy goes
#
# The first law holds at all times, with the interaction as a part of its own. The default error
# estimates say how exact each line is.

# %%
sol = solutions[1]
print(f"work {sol.work[-1]:.6f} +- {sol.error.work[-1]:.0e}")
print(f"gain of the reservoir {sol.energy_gain[-1, 0]:.6f}")
print(f"first law, the largest deviation: {jnp.max(jnp.abs(sol.first_law)):.0e}")

# %% [markdown]
# ## A quench, and what becomes of it
#
# If the frequency jumps, nothing can follow: the old equilibrium goes on under the new frequency
# and relaxes to the new one, which `steady_state` knows without any time.

# %%
ts = jnp.linspace(0.0, 40.0, 161)
quench = bx.solve(bx.Cavity(AFTER, BATH), bx.Equilibrium(bx.Cavity(BEFORE, BATH)), ts)
end = bx.steady_state(bx.LinearSystem([[AFTER]], bx.Channel(BATH, [1.0])))
plt.figure(figsize=(4.0, 2.8), layout="constrained")
plt.plot(ts, quench.number)
plt.axhline(end.number, color="0.5", ls="--")
plt.xlabel("$t$")
plt.ylabel("$n$")
print(f"n at the end {quench.number[-1]:.5f}, in equilibrium {end.number:.5f}")

# %% [markdown]
# ## A better ramp
#
# Work is differentiable by all parameters of a drive. Here is how it changes with the width of the
# ramp and with its end, on a fixed number of steps.

# %%
solver = bx.Embedding(points=512, modes=24)


@jax.jit
@jax.grad
def slope(parameters):
    width, stop = parameters
    frequency = bx.Ramp(BEFORE, stop, center=2.0, width=width)
    ts = jnp.array([0.0, 4.0])
    return bx.solve(bx.Cavity(frequency, BATH), bx.Thermal(0.6), ts, solver).work[-1]


by_width, by_stop = slope(jnp.array([0.5, AFTER]))
print(f"dW/d(width) = {by_width:.4f}, dW/d(stop) = {by_stop:.4f}")
