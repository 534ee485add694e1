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
# # How many peaks has the reservoir?
#
# The field of a cavity decays into a reservoir of unknown structure, and sometimes comes back. Its
# amplitude $u(t)$, both quadratures, is measured with an error of 0.01. Which spectral density is
# behind it? We fit one, two and three Lorentzian peaks, let the data choose, and then ask for
# $J(\omega)$ without any formula. Energies are in units of $\omega_s$, times in $1/\omega_s$.

# %%
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

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
# ## Data
#
# Two peaks, one on each side of the cavity. The phase matters: $|u|$ alone could not tell $J$ from
# its mirror image about $\omega_s$.

# %%
ERROR = 0.01
times = np.linspace(0.4, 32.0, 80)
truth = bx.Lorentzian(0.30, 0.10, 0.75) + bx.Lorentzian(0.15, 0.20, 1.5)


def amplitude(density, solver):
    cavity = bx.Cavity(1.0, bx.Reservoir(density))
    return {"u": solver.green_functions(cavity, jnp.asarray(times)).value.u}


rng = np.random.default_rng(6)
exact = np.asarray(amplitude(truth, bx.Resonance())["u"])
noise = rng.normal(size=len(times)) + 1j * rng.normal(size=len(times))
measured = exact + ERROR * noise
data = bx.Data(times, u=(measured, ERROR))

# %% [markdown]
# ## One, two, three
#
# The parameters of all peaks are arrays. Ordered bounds would keep peaks from changing places;
# here they start apart and stay so.


# %%
def peaks(coupling, width, center):
    return sum(bx.Lorentzian(*peak) for peak in zip(coupling, width, center, strict=True))


def by_peaks(**parameters):
    return amplitude(peaks(**parameters), bx.Resonance(nodes=64))


fits = {}
for count, centers in {1: [0.9], 2: [0.8, 1.3], 3: [0.6, 1.0, 1.5]}.items():
    start = {"coupling": [0.2] * count, "width": [0.2] * count, "center": centers}
    fits[f"{count}"] = bx.fit(by_peaks, data, start)
    print(f"--- peaks: {count}\n{fits[f'{count}']}\n")

# %% [markdown]
# One peak cannot be right: its $\chi^2$ is impossible, and each residual resembles the next, by so
# many standard deviations. Two are as good as the errors allow. A third lowers $\chi^2$ by less
# than the three parameters that it costs, so that the criteria of Akaike and Bayes prefer two.

# %%
table = bx.compare(fits)
columns = ("size", "chi2", "p_value", "aic", "bic", "weight")
print("peaks" + "".join(f"{name:>10}" for name in columns) + "    serial")
for name, line in table.items():
    cells = "".join(f"{line[column]:10.3g}" for column in columns)
    print(f"{name:5}{cells}{fits[name].serial_correlation:10.1f}")

# %%
left, right = panels(r"Re $u\,e^{i\omega_s t}$", "residual / error")
turned = np.exp(1j * times)
left.plot(times, (measured * turned).real, ".", ms=3, color="0.4")
for name in ("1", "2"):
    model = np.asarray(by_peaks(**fits[name].parameters)["u"])
    left.plot(times, (model * turned).real, label=f"peaks: {name}")
    right.plot(times, fits[name].residuals[: len(times)], ".-", ms=3, lw=0.6)
_ = left.legend()

# %% [markdown]
# ## No formula at all
#
# Let $J$ be a smooth curve through 25 values. The data determine few of them: without a penalty
# the fit would follow the noise. The penalty is how rough $\ln J$ is, the difference of
# neighbouring slopes, and the fit says how many parameters the data determine, its `size`.
# Akaike's criterion, with that size, chooses the strength.

# %%
knots = jnp.linspace(0.0, 2.4, 25)


def by_values(J):
    density = bx.Tabulated(knots, jnp.concatenate([jnp.zeros(1), J, jnp.zeros(1)]))
    return amplitude(density, bx.Volterra(points=256))


free = {}
for strength in (0.3, 1.0, 3.0, 10.0):
    free[f"{strength:g}"] = bx.fit(
        by_values,
        data,
        {"J": jnp.full(23, 0.02)},
        penalty=lambda J, strength=strength: strength * jnp.diff(jnp.log(J), 2),
        starts=1,
    )
table = bx.compare(free)
for name, line in table.items():
    print(
        f"strength {name:>4}: {line['size']:4.1f} parameters, chi^2 = {line['chi2']:5.1f}, "
        f"AIC = {line['aic']:6.1f}"
    )

# %% [markdown]
# The best of them shows both peaks without having been told of any, with a band of one standard
# error that is wide where the cavity does not look. The fit of two peaks, which knows what it is
# looking for, is far more certain (the truth is dashed).

# %%
best = free[next(iter(table))]
w = jnp.linspace(0.01, 2.39, 300)
left, right = panels("$J$ without a formula", "$J$ of two peaks")
curves = {
    left: best.band(
        lambda J: bx.Tabulated(knots, jnp.concatenate([jnp.zeros(1), J, jnp.zeros(1)]))(w)
    ),
    right: fits["2"].band(lambda **parameters: peaks(**parameters)(w)),
}
for ax, band in curves.items():
    ax.plot(w, band.value)
    ax.fill_between(w, band.value - band.error, band.value + band.error, alpha=0.3, lw=0)
    ax.plot(w, truth(w), "k--", lw=0.8)
    ax.set(xlabel=r"$\omega/\omega_s$", ylim=(0.0, 0.09))
