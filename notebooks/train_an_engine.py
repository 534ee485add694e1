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
# # Train a heat engine
#
# A mode whose frequency rises and falls touches a hot reservoir while it is stiff, and a cold one
# while it is soft: a quantum Otto engine. Textbooks take the contacts to be weak and the strokes
# to be separate. Here both overlap, the reservoirs remember, and switching a contact costs work;
# `limit_cycle` has all of it exactly, with its derivatives. So the shape of the cycle can be
# trained. Energies are in units of the mean frequency.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import optax

import bathax as bx

plt.style.use("bathax.plot.bathax")
PERIOD = 30.0
HOT = bx.Reservoir(bx.Lorentzian(0.3, 0.2, 1.4), occupation=bx.Uniform(2.0))
COLD = bx.Reservoir(bx.Lorentzian(0.3, 0.2, 0.7), occupation=bx.Uniform(0.3))
SOLVER = bx.Embedding(points=64, modes=4)

# %% [markdown]
# ## A cycle with ten numbers
#
# The frequency is a sum of six waves, bounded by 0.6 and 1.4. Each contact opens once in a cycle,
# at a phase and for a share of the cycle that are free. Whatever is a function of the time goes
# into `LinearSystem` as a function.


# %%
def parts(x):
    """The frequency, and how far each of the contacts is open."""
    orders = 2.0 * jnp.pi / PERIOD * jnp.array([1.0, 2.0, 3.0])

    def frequency(t):
        waves = x[0:3] @ jnp.cos(orders * t) + x[3:6] @ jnp.sin(orders * t)
        return 1.0 + 0.4 * jnp.tanh(waves)

    def contact(phase, share):
        return lambda t: jax.nn.sigmoid(5.0 * (jnp.cos(orders[0] * t - phase) - share))

    return frequency, contact(x[6], x[7]), contact(x[8], x[9])


def engine(x):
    frequency, hot, cold = parts(x)
    channels = [bx.Channel(HOT, [1.0], switch=hot), bx.Channel(COLD, [1.0], switch=cold)]
    return bx.LinearSystem([[frequency]], channels)


start = jnp.array([0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, jnp.pi, 0.5])
first = bx.limit_cycle(engine(start), PERIOD)
print(f"power {-first.power:.5f}, efficiency {first.efficiency:.3f}")
print(f"work in a cycle {first.work:.4f}, with an error of {first.solution.error.work.max():.0e}")

# %% [markdown]
# Work and power are negative where the engine gives them. An ideal Otto cycle between the
# frequencies 0.6 and 1.4 has the efficiency 1 - 0.6 / 1.4 = 0.571, and takes for ever.
#
# ## Training
#
# The power is a function of ten numbers, and so is its gradient, which takes about three times as
# long. A solver with fixed `points` and `modes` makes all steps the same program.


# %%
@jax.jit
@jax.value_and_grad
def slope(x):
    return bx.limit_cycle(engine(x), PERIOD, SOLVER).power


x, optimiser = start, optax.adam(0.1)
state, given = optimiser.init(x), []
for _ in range(40):
    power, gradient = slope(x)
    change, state = optimiser.update(gradient, state)
    x = optax.apply_updates(x, change)
    given.append(-float(power))
last = bx.limit_cycle(engine(x), PERIOD)
print(f"power {-last.power:.5f}, efficiency {last.efficiency:.3f}")

# %% [markdown]
# The trained cycle is measured once more by the default solver, which chooses its own steps and
# says how exact it is.

# %%
fig, axes = plt.subplots(1, 3, figsize=(8.6, 2.8), layout="constrained")
axes[0].plot(given)
axes[0].set(xlabel="step of training", ylabel="power")
ts = jnp.linspace(0.0, PERIOD, 201)
for name, part in zip(("frequency", "hot contact", "cold contact"), parts(x), strict=True):
    axes[1].plot(ts / PERIOD, jax.vmap(part)(ts), label=name)
axes[1].set(xlabel="time / period", ylim=(-0.05, 2.1))
axes[1].legend()
for name, cycle in (("start", first), ("trained", last)):
    energy, n = cycle.solution.energy, cycle.solution.number
    axes[2].plot(energy / n, n, label=name)
axes[2].set(xlabel="frequency", ylabel="quanta")
axes[2].legend()

# %% [markdown]
# In the plane of frequency and quanta an engine runs counterclockwise, and the area is the work
# that the changing frequency gives: the trained loop takes both the range of the frequency and
# that of the quanta.
#
# ## What the contacts cost
#
# At weak coupling all work is done by the frequency. Here the interaction holds energy, so that
# opening and closing the contacts does some work too, of either sign. Over a cycle the energy that
# the reservoirs lose is the work given, to rounding.

# %%
gain = last.solution.energy_gain[-1]
frequency, *_ = parts(x)
ts, n = last.solution.t, last.solution.number
by_frequency = jnp.trapezoid(jax.vmap(jax.grad(frequency))(ts) * n, ts)
print(f"work by the frequency {by_frequency:.4f}, by the contacts {last.work - by_frequency:.4f}")
print(f"energy lost by the reservoirs {-gain.sum():.6f}, work given {-last.work:.6f}")

# %% [markdown]
# ## How far it forgets
#
# Floquet multipliers tell how much of a disturbance is left after a cycle: the limit cycle is
# reached within a few.

# %%
found = bx.floquet_multipliers(engine(x), PERIOD)
print(f"left after one cycle: {abs(found.values[0]):.3f}")
