"""A cache of compiled programs on disk, from which later processes load them.

Nothing here imports JAX, so that the command line can call it first.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

GIB = 2**30
# The environment variable with the folder, or with one of the words for none.
VARIABLE = "BATHAX_CACHE"
OFF = ("", "0", "off", "no", "false")
# JAX leaves out what compiles in less than a second, of which there are many.
SETTINGS = {"jax_persistent_cache_min_compile_time_secs": 0.0}
FOLDER = "jax_compilation_cache_dir"


def cache_programs(folder: str | Path | None = None, *, size: float = 1.0) -> Path | None:
    """Keep compiled programs in a folder on disk, where later processes find them.

    The first call of a function compiles for seconds; if another process has made the same call
    before, its programs are loaded instead. Call this once, before anything is computed. The
    command line does so by itself, unless it is given `--no-cache`.

    `folder`: by default the one that the environment variable BATHAX_CACHE names, or else `bathax`
    in the user's cache folder: below XDG_CACHE_HOME or ~/.cache on Linux, ~/Library/Caches on
    macOS, LOCALAPPDATA on Windows. With BATHAX_CACHE=off nothing is kept. A folder that JAX already
    uses (JAX_COMPILATION_CACHE_DIR) stays, unless another one is given here. `size`: the limit in
    GiB; when this is called, the least recently used programs are removed until the rest is
    smaller.

    Returns the folder, or None if nothing is kept. A folder that cannot be written to, or a full
    disk, is no error. Programs in the folder are executed as they are: whoever can write to it can
    run code in your name.

    >>> folder = bx.cache_programs()
    """
    given = _setting(FOLDER)
    if folder is None and given:
        return Path(given)
    chosen = _folder() if folder is None else Path(folder).expanduser()
    if chosen is None or not _is_usable(chosen):
        return None
    _shrink(chosen, size * GIB)
    for name, value in (SETTINGS | {FOLDER: str(chosen.absolute())}).items():
        _set(name, value)
    # From a full disk, or from a program that another process is still writing.
    words = "Error (reading|writing) persistent compilation cache entry"
    warnings.filterwarnings("ignore", message=words)
    return chosen


def _folder() -> Path | None:
    """The folder that the environment names, or the usual one of the platform."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return None if named.lower() in OFF else Path(named).expanduser()
    try:
        home = Path.home()
    except RuntimeError:  # a user without one
        return None
    usual = {"darwin": home / "Library" / "Caches", "win32": home / "AppData" / "Local"}
    base = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return Path(base or usual.get(sys.platform, home / ".cache")) / "bathax"


def _is_usable(folder: Path) -> bool:
    """Whether files can be made in the folder; it is made if need be, for the user alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _shrink(folder: Path, most: float) -> None:
    """Remove the least recently used programs until the rest is small enough."""
    try:
        files = [(file, file.stat()) for file in folder.iterdir()]
    except OSError:  # another process removes them
        return
    programs = [(file, found) for file, found in files if file.name.endswith("-cache")]
    # Many systems update the time of the last access once a day, some never.
    programs.sort(key=lambda pair: -max(pair[1].st_atime, pair[1].st_mtime))
    for file, found in programs:
        most -= found.st_size
        # A file is empty if the disk became full or the process was killed while it was written.
        if most < 0 or not found.st_size:
            file.unlink(missing_ok=True)


def _setting(name: str) -> Any:
    """A setting of JAX: its value, or the one that JAX will read when it is imported."""
    if "jax" in sys.modules:
        return getattr(sys.modules["jax"].config, name)
    return os.environ.get(name.upper())


def _set(name: str, value: Any) -> None:
    """Change a setting of JAX, now or when it is imported."""
    if "jax" not in sys.modules:
        os.environ[name.upper()] = str(value)
        return
    sys.modules["jax"].config.update(name, value)
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    # JAX may have looked for a cache already.
    reset_cache()
