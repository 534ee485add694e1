"""Compiled programs on disk: what one process has compiled, later ones load.

Nothing here imports JAX, so that the command line can call it before it knows what to do.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

GIB = 2**30
# Names the folder, or is one of the words for none.
VARIABLE = "BATHAX_CACHE"
OFF = ("", "0", "off", "no", "false")
# JAX leaves out what compiles in less than a second, of which there are many.
SETTINGS = {"jax_persistent_cache_min_compile_time_secs": 0.0}
FOLDER = "jax_compilation_cache_dir"


def cache_programs(folder: str | Path | None = None, *, size: float = 1.0) -> Path | None:
    """Keep compiled programs in a folder on disk, where later processes find them.

        bx.cache_programs()

    A first call compiles for seconds; where another process has made the same call before, its
    programs are loaded instead. The command line does this by itself, unless it is given
    `--no-cache`. Call it once, before anything is computed.

    `folder`: by default the one that the environment variable BATHAX_CACHE names, or else `bathax`
    in the user's cache folder: below XDG_CACHE_HOME or ~/.cache on Linux, ~/Library/Caches on
    macOS, LOCALAPPDATA on Windows. With BATHAX_CACHE=off nothing is kept. A folder that JAX was
    told of before (JAX_COMPILATION_CACHE_DIR) stays, unless another one is given here. `size`: in
    GiB; when this is called, programs that were not used for longest are removed until the rest is
    smaller.

    Returns the folder, or None where nothing is kept. That the folder cannot be written to, or its
    disk is full, is no error. Programs in it are executed as they are: whoever may write to it may
    run code of theirs.

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
    # Of a full disk, or a program of which another process has written only half as yet.
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
    """Whether files can be made in the folder, which is made if need be, for the user alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _shrink(folder: Path, most: float) -> None:
    """Remove programs, from the one that was not used for longest, until the rest is small."""
    try:
        files = [(file, file.stat()) for file in folder.iterdir()]
    except OSError:  # another process removes them
        return
    programs = [(file, found) for file, found in files if file.name.endswith("-cache")]
    # Many systems note once a day when a file was read, some never.
    programs.sort(key=lambda pair: -max(pair[1].st_atime, pair[1].st_mtime))
    for file, found in programs:
        most -= found.st_size
        # What is empty was being written when the disk became full or the process was killed.
        if most < 0 or not found.st_size:
            file.unlink(missing_ok=True)


def _setting(name: str) -> Any:
    """What JAX has been told, or will read when it is imported."""
    if "jax" in sys.modules:
        return getattr(sys.modules["jax"].config, name)
    return os.environ.get(name.upper())


def _set(name: str, value: Any) -> None:
    """Tell JAX, now or when it is imported."""
    if "jax" not in sys.modules:
        os.environ[name.upper()] = str(value)
        return
    sys.modules["jax"].config.update(name, value)
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    # It may have looked for a cache already.
    reset_cache()
