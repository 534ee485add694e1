"""The size of a hierarchy: from cheap sizes on to one that reaches the tolerance.

The depth grows, with the weights of quanta fixed: so there are more quanta in each mode, and quanta
in more modes. The change of the result from one size to the next is about the error of the smaller
one. Two changes tell how fast errors fall, from which follow the error of the larger one and the
next depth, or that the tolerance is out of reach.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NamedTuple, TypeVar

import jax

from bathax._checks import Scalar
from bathax._status import ToleranceWarning
from bathax.qubit.index_set import Size, count_elements, size_of

Result = TypeVar("Result")

# The most elements of the first sizes; they take about a second.
CHEAP = 2250
# If modes of equal weight allow less than the depth SHALLOW, their weights get this tilt.
TILT, SHALLOW = 1.0, 4
# Modes whose weight is up to BEYOND times the depth get a single quantum: kernels need more modes
# than many quanta do, and a few elements hold them.
BEYOND = 1.3
# From one size to the next, elements with one more quantum after another fall by this factor at
# least. Results of closer sizes may agree by chance more than either is right.
FALL = 4.0
# So many more modes, if there are any left: at early times a second one counts like the first.
MORE = 2
# The error expected from two changes is trebled, and it is this part of the last change at least:
# one change may be small by chance.
SAFETY, LEAST = 3.0, 0.3
# Results that change by more are wrong altogether: their changes tell nothing about later ones.
WRONG = 0.1
# If the fall before was no better than this, it is not regular.
STALLED = 0.5
# The fraction of the way to the expected depth that is taken in one step, which multiplies the
# number of elements by LONGEST at most: how errors fall is known better after each.
PART, LONGEST = 0.5, 6.0
# A tolerance is out of reach if it is even with HOPE times the rate seen in TRIALS trials, the last
# of which has this part of the elements that are allowed.
HOPE, TRIALS, TRIED = 2.0, 3, 0.08
# A size that is expected to suffice is tried before a stride that has so many times its elements.
WORTHWHILE = 1.5
# Strides longer than this may be cut to some more than half where no whole one is left.
CLOSEST = 2
# More elements than any machine holds.
MANY = 1e9
# Seconds after which a line about the size appears on the terminal.
PATIENCE = 2.0


class Sizes(NamedTuple):
    """The first sizes, two or three, and the weights of the modes, which rise or are all 1.

    `max_size` is the most elements; if it is 0 the size is fixed. The depth grows by `stride` at
    least.
    """

    first: tuple[Size, ...]
    weights: tuple[float, ...] = ()
    max_size: int = 0
    stride: int = 1

    def at(self, depth: int) -> Size:
        """The size of a depth."""
        kept = (weight for weight in self.weights if weight <= BEYOND * depth)
        return depth, tuple(min(weight, float(depth)) for weight in kept)

    def deeper(self, depth: int, steps: int = 1) -> Size:
        """A size deeper than `depth`, with MORE modes at least if they are left."""
        for _ in range(steps):
            depth = self._next(depth)
        return self.at(depth)

    def _next(self, depth: int) -> int:
        if self.weights[-1] == 1.0:
            return depth + max(self.stride, math.ceil(depth / 4))
        heavier = [weight for weight in self.weights if weight > BEYOND * depth]
        another = math.ceil(max(heavier[:MORE], default=0.0) / BEYOND)
        return max(another, depth + max(self.stride, math.ceil(self.weights[1] - 1.0)))

    def allow(self, size: Size) -> bool:
        """Whether a size has at most `max_size` elements."""
        return count_elements(*size) <= self.max_size


def stride(cost: float) -> int:
    """The number of quanta by which depths should differ, if elements fall by e^-cost with each.

    An error falls by the square of that: quanta are emitted and absorbed.
    """
    return math.ceil(0.5 * math.log(FALL) / cost)


def first_sizes(depth: int, weights: tuple[float, ...], max_size: int, stride: int = 1) -> Sizes:
    """Three sizes from a depth on, or the largest ones below it that are cheap to try.

    The smallest sizes, with one and with two quanta, are tried even if they exceed `max_size`.
    """
    limit = min(CHEAP, max_size)
    growing = Sizes((size_of(1, 0.0, 1), size_of(2, 0.0, 1)), weights, max_size, stride)
    if weights[-1] == 1.0 and not _is_within(growing.at(SHALLOW), limit):
        tilted = tuple(1.0 + TILT * k for k in range(len(weights)))
        growing = growing._replace(weights=tilted)
    for deep in range(1, depth + 1):
        three = growing.at(deep), growing.deeper(deep), growing.deeper(deep, 2)
        if not _is_within(three[-1], limit):
            break
        growing = growing._replace(first=three)
    return growing


def _is_within(size: Size, limit: int) -> bool:
    """Whether a size has at most `limit` elements, without counting many more than that."""
    depth, weights = size
    return all(count_elements(deep, weights) <= limit for deep in range(1, depth + 1))


class Trial(NamedTuple):
    """A size, `gap` deeper than the one before, the change of the result, its error, the time."""

    size: Size
    gap: int
    elements: int
    change: float
    error: float
    seconds: float


def climbed(
    solve: Callable[..., tuple[Result, ...]],
    sizes: Sizes,
    change: Callable[[Result, Result], Scalar],
    rtol: float,
) -> tuple[Result, Result]:
    """The best result, after one that differs from it by its error: within `rtol` if one can be.

    `solve` takes one size or several, which it solves in one program, as it does for the first
    ones. Of a fixed size the results are those of two sizes. If no size up to `max_size` is
    expected to suffice, a `ToleranceWarning` says so at once, and which size would.
    """

    def compared(smaller: Size, larger: Size, coarse: Result, fine: Result) -> Result:
        seconds, gap = time.perf_counter() - began, larger[0] - smaller[0]
        apart = float(change(coarse, fine))
        near = _between(fine, coarse, share(trials, gap, apart))
        error, elements = float(change(near, fine)), count_elements(*larger)
        trials.append(Trial(larger, gap, elements, apart, error, seconds))
        return near

    trials: list[Trial] = []
    began, first = time.perf_counter(), sizes.first
    results = solve(*first)
    if not sizes.max_size:
        return results[0], results[1]
    *_, near = map(compared, first, first[1:], results, results[1:])
    fine = results[-1]
    with _display() as show:
        while trials[-1].error > rtol:
            larger = next_size(sizes, trials, rtol)
            if larger is None:
                warnings.warn(outlook(trials, rtol, sizes), ToleranceWarning, stacklevel=2)
                break
            show(trials, larger)
            began, before = time.perf_counter(), fine
            (fine,) = solve(larger)
            near = compared(trials[-1].size, larger, before, fine)
    return near, fine


def share(trials: Sequence[Trial], gap: int, change: float) -> float:
    """The part of the last change that the error is, if errors go on to fall as changes do."""
    if not trials or not 0.0 < change < trials[-1].change < WRONG:
        return 1.0
    if trials[1:] and trials[-1].change > STALLED * trials[-2].change:
        return 1.0
    fall = (change / trials[-1].change) ** (gap / trials[-1].gap)
    return min(max(SAFETY * fall, LEAST), 1.0)


def _between(start: Result, end: Result, part: float) -> Result:
    """A result that is a part of the way from one to another."""
    return jax.tree.map(lambda a, b: a + part * (b - a), start, end)


def next_size(sizes: Sizes, trials: Sequence[Trial], rtol: float) -> Size | None:
    """The next size to try; None if none up to `max_size` is expected to suffice."""
    if is_hopeless(trials, rtol, sizes.max_size):
        return None
    depth, fall = trials[-1].size[0], Fall.of(trials)
    wanted = [sizes.deeper(depth, steps) for steps in (_steps(sizes, trials, rtol), 1)]
    larger = next(filter(sizes.allow, wanted), None)
    further = math.log(SAFETY * fall.now.error / rtol) / fall.rate if fall.rate else math.inf
    if larger and len(trials) >= TRIALS and fall.rate:
        # Errors may fall faster than the strengths of the modes say.
        apart = min(max(further, math.log(FALL) / fall.rate), larger[0] - depth)
        enough = sizes.at(depth + math.ceil(apart))
        if count_elements(*larger) > WORTHWHILE * count_elements(*enough):
            return enough
    if larger and (larger[0] >= depth + further or sizes.allow(sizes.deeper(larger[0]))):
        return larger
    # Two closer sizes tell more than a last one that is not expected to suffice.
    closer = sizes.at(depth + sizes.stride // 2 + 1)
    return closer if sizes.stride > CLOSEST and sizes.allow(closer) else larger


def _steps(sizes: Sizes, trials: Sequence[Trial], rtol: float) -> int:
    """By how many steps to increase the depth: PART of the way to the expected depth."""
    depth, fall = trials[-1].size[0], Fall.of(trials)
    if not fall.rate:
        return 1
    expected = PART * math.log(trials[-1].error / rtol) / fall.rate
    steps, until = 1, depth + min(expected, depth * (LONGEST ** (1.0 / fall.power) - 1.0))
    while sizes.deeper(depth, steps + 1)[0] <= until:
        steps += 1
    return steps


class Fall(NamedTuple):
    """The error falls like e^{-rate depth}, and the number of elements grows like depth^power.

    `rate` is 0 if the error does not fall yet, or if that is not known.
    """

    now: Trial
    rate: float
    power: float

    @staticmethod
    def of(trials: Sequence[Trial]) -> "Fall":
        """The fall over the last trials."""
        before, now = trials[-TRIALS:][0], trials[-1]
        (few, _), (many, _) = before.size, now.size
        if many == few or not math.isfinite(before.change + now.change):
            return Fall(now, 0.0, 1.0)
        # A change is about the error of the smaller size.
        deeper = (many - now.gap) - (few - before.gap)
        rate = max(math.log(before.change / now.change) / deeper, 0.0)
        power = math.log(now.elements / before.elements) / math.log(many / few)
        return Fall(now, rate, power)

    def needed(self, rtol: float, hope: float = 1.0) -> float:
        """The number of elements that a tolerance needs, with `hope` times the rate."""
        depth = self.now.size[0]
        further = math.log(self.now.error / rtol) / (hope * self.rate)
        return self.now.elements * (1.0 + further / depth) ** self.power

    def reachable(self, elements: int) -> float:
        """The error that a number of elements would have."""
        depth = self.now.size[0]
        further = depth * ((elements / self.now.elements) ** (1.0 / self.power) - 1.0)
        return self.now.error * math.exp(-self.rate * max(further, 0.0))


def is_hopeless(trials: Sequence[Trial], rtol: float, max_size: int) -> bool:
    """Whether the limit is out of reach even if convergence becomes faster."""
    if len(trials) < TRIALS or trials[-1].elements < TRIED * max_size:
        return False
    fall = Fall.of(trials)
    if not fall.rate:
        return True
    return fall.needed(rtol, HOPE) > max_size


def expected_seconds(trials: Sequence[Trial], elements: int | float) -> float:
    """The time that a number of elements takes, extrapolated from the last two trials."""
    before, now = trials[-2:][0], trials[-1]
    power = 1.0
    if now.elements != before.elements:
        power = math.log(now.seconds / before.seconds) / math.log(now.elements / before.elements)
    return now.seconds * (elements / now.elements) ** min(max(power, 1.0), 3.0)


def outlook(trials: Sequence[Trial], rtol: float, sizes: Sizes) -> str:
    """A sentence: the error reached, the one that `max_size` allows, what the tolerance needs."""
    now, limit, fall = trials[-1], sizes.max_size, Fall.of(trials)
    error = f"an error of {now.error:.1e}" if now.error < 1.0 else "no meaningful result"
    words = f"The requested tolerance was not reached: {_described(now.size)} has {error}"
    if not fall.rate:
        return f"{words}, and errors do not fall yet; `max_size` is {limit:,}."
    # If fewer elements seem to suffice, the next size has more than the limit allows.
    reachable, elements = fall.reachable(limit), max(fall.needed(rtol), float(limit))
    if elements > MANY:
        return f"{words}; a `max_size` of {limit:,} allows some {reachable:.0e}."
    return (
        f"{words}; a `max_size` of {limit:,} allows some {reachable:.0e} in "
        f"{_duration(expected_seconds(trials, limit))}, and an `rtol` of {rtol:.0e} needs some "
        f"{elements:.0e} elements and {_duration(expected_seconds(trials, elements))}."
    )


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds > 2 * length:
            return f"some {seconds / length:,.0f} {unit}"
    return f"some {max(seconds, 1.0):.0f} s"


def _described(size: Size) -> str:
    depth, weights = size
    return f"depth {depth} with {len(weights)} modes ({count_elements(*size):,} elements)"


@contextmanager
def _display() -> Iterator[Callable[[Sequence[Trial], Size], None]]:
    """A line on the terminal about sizes that take long, where tqdm is installed."""
    if find_spec("tqdm") is None:
        yield lambda *_: None
        return
    from tqdm import tqdm

    with tqdm(unit=" sizes", disable=None, delay=PATIENCE) as bar:

        def show(trials: Sequence[Trial], larger: Size) -> None:
            seconds = expected_seconds(trials, count_elements(*larger))
            time_needed = _duration(seconds)
            words = f"error {trials[-1].error:.0e}, next {_described(larger)}, {time_needed}"
            bar.update()
            bar.set_description(words, refresh=seconds > PATIENCE)

        yield show
