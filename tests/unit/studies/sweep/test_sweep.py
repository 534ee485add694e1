"""A sweep holds at each point what the function gives there, and survives what goes wrong."""

import gc
import itertools
import weakref
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from zarr.storage import LocalStore

import bathax as bx
from bathax._status import Status
from bathax.studies import sizes
from bathax.studies.store import StoreError, reading
from bathax.studies.sweep import boxes, driver, record
from bathax.studies.sweep import sizes as sweep_sizes
from bathax.studies.sweep.axes import Axes

# This process may hold more than the default by the time these tests run.
sweep = partial(bx.sweep, memory=64.0)
TIMES = jnp.linspace(0.0, 3.0, 4)
ETAS, TEMPERATURES = [0.01, 0.05, -0.1], [0.0, 2.0]


def damped(eta, kT):
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), kT)
    return bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), TIMES, bx.BornMarkov())


def product(a, b):
    return {"value": a * b, "vector": a + jnp.arange(3.0), "value_error": 0.1 * a}


@pytest.fixture(scope="module")
def cavities():
    return sweep(
        damped,
        {"eta": ETAS, "kT": TEMPERATURES},
        ["u", "energy", "populations"],
        derivatives=["kT"],
    )


@pytest.mark.slow
def test_each_point_is_what_solve_gives(cavities):
    for i, eta in enumerate(ETAS[:2]):
        for j, kT in enumerate(TEMPERATURES):
            solution = damped(eta, kT)
            for name in ("u", "energy", "populations"):
                np.testing.assert_allclose(
                    cavities[name][i, j], getattr(solution, name), rtol=0, atol=1e-13
                )
            np.testing.assert_allclose(cavities.energy_error[i, j], solution.error.energy, 1e-2)
            assert cavities.status[i, j] == solution.status


def test_everything_is_labelled(cavities):
    assert cavities.populations.dims == ("eta", "kT", "time", "level")
    np.testing.assert_array_equal(cavities.eta, ETAS)
    np.testing.assert_array_equal(cavities.time, TIMES)
    assert cavities.energy.attrs == {"long_name": "internal energy E", "units": "energy"}
    assert cavities.energy_by_kT.units == "energy / kT"
    assert "invalid" in cavities.status.flag_meanings.split()
    assert cavities.attrs["bathax_version"] == bx.__version__


def test_a_bad_point_is_marked_and_the_others_are_there(cavities):
    np.testing.assert_array_equal(cavities.status == Status.INVALID, [[0, 0], [0, 0], [1, 1]])
    good, bad = cavities.isel(eta=slice(2)), cavities.isel(eta=2)
    assert all(np.isfinite(good[name]).all() for name in ("u", "energy", "energy_by_kT"))
    assert all(np.isnan(bad[name]).all() for name in ("u", "energy", "energy_by_kT"))


def test_derivatives(cavities):
    step = 1e-4
    high, low = (damped(0.05, 2.0 + sign * step).energy for sign in (1, -1))
    slope = (high - low) / (2 * step)
    np.testing.assert_allclose(cavities.energy_by_kT[1, 1], slope, atol=1e-8)


def test_any_function_of_numbers():
    found = sweep(product, {"a": ("run", [1.0, 2.0]), "b": ("run", [3.0, 4.0])})
    assert found.vector.dims == ("run", "vector_0")
    np.testing.assert_array_equal(found.value, [3.0, 8.0])
    np.testing.assert_array_equal(found.value_error, [0.1, 0.2])
    np.testing.assert_array_equal(found.a, [1.0, 2.0])
    alone = sweep(lambda a: a**2, {"a": [1.0, 3.0]}, derivatives=["a"])
    np.testing.assert_array_equal(alone.value, [1.0, 9.0])
    np.testing.assert_array_equal(alone.value_by_a, [2.0, 6.0])


def test_the_map_of_a_qubit():
    def map_of(gamma0):
        bath = bx.Reservoir(bx.Lorentzian(gamma0, 1.0, 1.0))
        return bx.dynamical_map(bx.Qubit(1.0, bath), TIMES, bx.VanHove())

    names = ["determinant", "gamma_minus", "coherence", "dcoherence"]
    found = sweep(map_of, {"gamma0": [0.5, 5.0]}, names, derivatives=["gamma0"])
    np.testing.assert_allclose(found.determinant[1], map_of(5.0).determinant, atol=1e-13)
    np.testing.assert_allclose(found.coherence[1], map_of(5.0).coherence, atol=1e-13)
    factor, rate = "factor c on the coherence", "rate of change of c"
    assert found.coherence.attrs == {"long_name": factor, "units": "1"}
    assert found.dcoherence.attrs == {"long_name": rate, "units": "energy"}
    assert found.dcoherence_error.attrs == {"long_name": "error estimate of dc", "units": "energy"}
    slope = {
        "long_name": f"derivative with respect to gamma0 of {rate}",
        "units": "energy / gamma0",
    }
    assert found.dcoherence_by_gamma0.attrs == slope


def test_a_number_that_is_none_marks_its_point():
    found = sweep(lambda a: jnp.log(a), {"a": [-1.0, 1.0]})
    np.testing.assert_array_equal(found.status, [Status.NOT_A_NUMBER, Status.SUCCESS])


def test_an_error_marks_its_point():
    def picky(a):
        return {"value": eqx.error_if(2.0 * a, a > 1.0, "too large")}

    found = sweep(picky, {"a": [0.5, 1.0, 1.5]})
    np.testing.assert_array_equal(found.value, [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(found.status, [0, 0, Status.ERROR])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"quantities": ["energie"]}, "Argument `quantities` must be among value, vector, "),
        ({"derivatives": ["c"]}, "Argument `derivatives` must be among a, b, but is ['c']."),
        ({"memory": 1e-9}, "Argument `memory` must be above "),
        ({"memory": 1e-3}, "Argument `memory` must be at least "),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match="must be") as caught:
        bx.sweep(product, {"a": [1.0], "b": [2.0]}, **options)
    assert str(caught.value).startswith(sentence)


def test_an_axis_has_a_name_of_its_own():
    with pytest.raises(ValueError, match="named unlike the quantities"):
        sweep(lambda value: {"value": value}, {"value": [1.0]})


# --- Stores ------------------------------------------------------------------------------------

AXES = {"a": np.arange(1.0, 801.0), "b": [1.0, 2.0, 3.0]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.zarr"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The store of a sweep that nothing has interrupted."""
    path = tmp_path_factory.mktemp("whole") / "sweep.zarr"
    sweep(product, AXES, store=path)
    return path


def files_of(path):
    return {file.relative_to(path): file for file in path.rglob("*") if file.is_file()}


def contents(path):
    return {name: file.read_bytes() for name, file in files_of(path).items()}


class Killed(Exception):
    """Stands for the end of the process: nothing catches it."""


def interrupt(monkeypatch, error, after):
    """Let zarr's writing of a chunk fail, after some that succeed."""
    write, left = LocalStore.set, iter(range(after))

    async def failing(self, key, value):
        if "/c/" in key and next(left, None) is None:
            raise error
        await write(self, key, value)

    monkeypatch.setattr(LocalStore, "set", failing)


def test_a_store_holds_the_same(whole):
    found = xarray.open_zarr(whole, consolidated=False, chunks=None)
    expected = sweep(product, AXES)
    xarray.testing.assert_identical(found.load(), expected)
    assert len(list((whole / "status" / "c").iterdir())) > 1


@pytest.mark.parametrize("after", [0, 1, 17])
def test_an_interrupted_sweep_goes_on(path, whole, monkeypatch, after):
    with monkeypatch.context() as patch:
        interrupt(patch, Killed(), after)
        with pytest.raises(Killed):
            sweep(product, AXES, store=path)
    unfinished = sweep(product, AXES, store=path, resume=True)
    assert contents(path) == contents(whole)
    assert not np.any(unfinished.status)


def test_nothing_done_is_done_again(path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, OSError(28, "No space left on device"), 17)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            sweep(product, AXES, store=path)
    store = boxes.SweepStore(path)
    done = sum(done for _, done in store.boxes())
    before = {name: file.stat() for name, file in files_of(path).items()}
    assert done > 0
    sweep(product, AXES, store=path, resume=True)
    after = {name: files_of(path)[name].stat() for name in before}
    kept = [name for name in before if before[name].st_ino == after[name].st_ino]
    per_box = 4  # value, vector, value_error and status
    assert len([name for name in kept if "c" in name.parts[1:2]]) >= per_box * done


def test_a_file_that_was_being_written_is_removed(path, whole):
    sweep(product, AXES, store=path)
    (path / "value" / "c" / "0" / "0.abc.partial").touch()
    sweep(product, AXES, store=path, resume=True)
    assert contents(path) == contents(whole)


def test_another_sweep_is_refused(path):
    sweep(product, AXES, store=path)
    with pytest.raises(StoreError, match=r"another sweep: `axes\.b` is '3 values from 1 to 4"):
        sweep(product, AXES | {"b": [1.0, 2.0, 4.0]}, store=path, resume=True)
    with pytest.raises(StoreError, match="exists; use --resume to go on with it or --force"):
        sweep(product, AXES, store=path)
    with pytest.raises(StoreError, match=r"another sweep: `variables` is \['status', 'value'"):
        sweep(product, AXES, ["value"], store=path, resume=True)
    found = sweep(product, {"a": [2.0], "b": [2.0]}, store=path, overwrite=True)
    assert found.value.item() == 4.0


def test_another_version_is_refused(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(boxes, "__version__", "0.0.1")
        sweep(product, AXES, store=path)
    with pytest.raises(StoreError, match=r"begun with bathax 0\.0\.1, and cannot be continued"):
        sweep(product, AXES, store=path, resume=True)
    with monkeypatch.context() as patch:
        patch.setattr(boxes, "SWEEP", "bathax sweep, version 9")
        sweep(product, AXES, store=path, overwrite=True)
    with pytest.raises(StoreError, match="has the format `bathax sweep, version 9`, but must have"):
        sweep(product, AXES, store=path, resume=True)


def damage(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def test_a_damaged_chunk_is_named_and_computed_again(path, whole):
    sweep(product, AXES, store=path)
    damage(path / "value" / "c" / "1" / "0")
    found = xarray.open_zarr(path, consolidated=False, chunks=None)
    words = "is damaged at `value/c/1/0`; remove the file `status/c/1/0` in it, and --resume"
    with pytest.raises(StoreError, match=words), reading(path):
        found.value.load()
    damage(path / "status" / "c" / "2" / "0")
    (path / "status" / "c" / "1" / "0").unlink()
    with pytest.raises(StoreError, match=r"is damaged at `(status/c/2|value/c/1)/0`"):
        sweep(product, AXES, store=path, resume=True)
    (path / "status" / "c" / "2" / "0").unlink()
    sweep(product, AXES, store=path, resume=True)
    assert contents(path) == contents(whole)


@pytest.mark.parametrize(("shown", "lines"), [(True, 0), (False, 0)])
def test_quiet_when_not_a_terminal(capsys, shown, lines):
    sweep(product, {"a": [1.0], "b": [2.0]}, progress=shown)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == len(captured.err.splitlines()) == lines


def test_the_bar_counts_what_was_done_before(path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, Killed(), 17)
        with pytest.raises(Killed):
            sweep(product, AXES, store=path)
    bars = []

    class Bar(driver.tqdm):
        def __init__(self, **options):
            bars.append(self)
            self.begun = options["initial"]
            super().__init__(**options)

    monkeypatch.setattr(driver, "tqdm", Bar)
    sweep(product, AXES, store=path, resume=True, progress=True)
    (bar,) = bars
    assert bar.total == 2400
    assert 0 < bar.begun < 2400


# --- Programs and their sizes ------------------------------------------------------------------

BIG_GRID = {"eta": np.linspace(0.01, 0.1, 5), "kT": [0.0, 2.0]}
GREEN = ["u", "v"]


def exact(eta, kT):
    """Green functions by a solver that chooses its size."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), kT))
    estimate = bx.Volterra(rtol=1e-8).green_functions(cavity, TIMES)
    status = {"status": estimate.status}
    return {name: getattr(estimate.value, name) for name in GREEN} | status


@pytest.fixture
def compilations():
    """How many programs were compiled so far."""
    names = []

    def listen(name, *_, **__):
        if name.endswith("backend_compile_duration"):
            names.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield lambda: len(names)
    jax.monitoring.unregister_event_duration_listener(listen)


class Scaled(eqx.Module):
    """A function with parameters of its own, which has no hash."""

    factor: jax.Array

    def __call__(self, a):
        return {"value": self.factor * a}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "grid", "options"),
    [
        (exact, BIG_GRID, {"quantities": GREEN}),
        (product, AXES, {"derivatives": ["a"]}),
        (Scaled(jnp.asarray(2.0)), {"a": [1.0, 2.0]}, {}),
    ],
)
def test_the_same_sweep_again_compiles_nothing(compilations, of, grid, options):
    first = sweep(of, grid, **options)
    before = compilations()
    assert before > 0
    xarray.testing.assert_identical(sweep(of, grid, **options), first)
    assert compilations() == before


def test_another_function_is_another_program():
    for factor in (2.0, 3.0):
        found = sweep(Scaled(jnp.asarray(factor)), {"a": [1.0, 2.0]})
        np.testing.assert_array_equal(found.value, [factor, 2.0 * factor])


@pytest.mark.slow
def test_programs_of_many_functions_are_not_all_kept():
    functions = [partial(lambda a, b: a + b, b=float(b)) for b in range(3 * record.KEPT)]
    forgotten = weakref.ref(functions[0])
    for of in functions:
        sweep(of, {"a": [1.0]})
    del functions[0]
    gc.collect()
    assert forgotten() is None


@pytest.fixture
def climbs(monkeypatch):
    """The sizes at which points were computed again."""
    found = []

    def watched(before):
        found.append(larger(before))
        return found[-1]

    larger = sweep_sizes.larger
    monkeypatch.setattr(sweep_sizes, "larger", watched)
    return found


@pytest.mark.slow
def test_solvers_get_a_size_that_serves_every_point(climbs):
    found = sweep(exact, BIG_GRID, GREEN)
    assert not climbs
    assert not np.any(found.status)
    at = found.sel(eta=0.1, kT=2.0)
    np.testing.assert_allclose(at.v, exact(0.1, 2.0)["v"], atol=1e-8)


@pytest.mark.slow
def test_points_that_miss_their_tolerance_are_computed_again(climbs, monkeypatch):
    expected = sweep(exact, BIG_GRID, GREEN)
    monkeypatch.setattr(sizes, "as_sizes", lambda _: (64,))
    found = sweep(exact, BIG_GRID, GREEN)
    assert climbs[0] == (128,)
    assert not np.any(found.status)
    np.testing.assert_allclose(found.v, expected.v, atol=1e-8)
    # Not for ever: then the status says so.
    climbs.clear()
    monkeypatch.setattr(sweep_sizes, "TRIES", 1)
    found = sweep(exact, BIG_GRID, GREEN)
    assert climbs == [(128,)]
    assert np.any(found.status == Status.TOLERANCE_NOT_REACHED)
    # Nor where the memory is not enough.
    program = sweep_sizes.Program

    def refuse(recorder, count, memory):
        return program(recorder, count, memory if count > 8 else 0.0)

    monkeypatch.setattr(sweep_sizes, "Program", refuse)
    assert np.any(sweep(exact, BIG_GRID, GREEN).status == Status.TOLERANCE_NOT_REACHED)


def test_bad_points_ask_for_nothing(climbs):
    found = sweep(exact, {"eta": [0.05, -0.1, np.nan], "kT": [1.0]}, GREEN)
    np.testing.assert_array_equal(found.status[:, 0], [0, Status.INVALID, Status.INVALID])
    assert not climbs


@pytest.mark.slow
@pytest.mark.parametrize("inner", [jax.jit, lambda of: lambda **p: one_of(jax.vmap(of), p)])
def test_a_function_compiled_by_itself_has_solvers_of_the_usual_size(inner, climbs):
    found = sweep(inner(lambda eta, kT: exact(eta, kT)), BIG_GRID, GREEN)
    assert not climbs
    np.testing.assert_allclose(found.v[4, 1], exact(0.1, 2.0)["v"], atol=1e-5)


def one_of(many, parameters):
    """A batch of one."""
    found = many(*(p[None] for p in parameters.values()))
    return jax.tree.map(lambda x: x[0], found)


def test_where_solvers_are_asked():
    """At the corners, and at few points however large the grid."""
    for lengths in ((3, 2), (1000,), (1, 4000, 5000), (50, 60, 70, 80), (7, 2, 2, 2, 2, 2, 2, 300)):
        grid = Axes.of({f"p{k}": np.arange(float(size)) for k, size in enumerate(lengths)})
        points = np.stack([*sweep_sizes._coarse(grid).values()], axis=1)
        assert len(points) <= max(128, 2 ** len(lengths))
        for corner in itertools.product(*({0, size - 1} for size in lengths)):
            assert np.any(np.all(points == corner, axis=1))


def test_sizes_are_shared_by_similar_demands():
    assert sizes.as_sizes(np.array([[100.0, 3.0], [np.nan, 12.2]])) == (104, 13)
    assert sizes.as_sizes(np.array([[np.inf], [0.0]])) == (1,)


def test_sizes_that_depend_on_each_other_settle():
    made = []

    def program(given):
        made.append(given)
        return given

    def demands(given):
        return np.array([[5.0, 10.0 * (given[0] if given else 1)]])

    assert sizes.settled(program, demands) == ((5, 52), (5, 52))
    assert made == [(), (5, 10), (5, 52)]
    assert sizes.settled(program, lambda _: None) == ((), ())
