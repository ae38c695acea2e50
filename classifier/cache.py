"""Folders of the encoder's cache: each written whole or not at all, by one process at a time."""

import errno
import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from claimwatch.errors import ConfigError


def write_whole(place: Path, write: Callable[[Path], object]) -> None:
    """Have a folder written beside its place and moved there, unless it is there."""
    if place.is_dir():
        return
    draft = place.with_name(f"{place.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        write(draft)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    draft.rename(place)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the operating system lets go of it when this process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def full_disk_explained(folder: Path, what: str, needed: int) -> Iterator[None]:
    """ConfigError where the disk is full or the folder cannot be written; `needed` bytes make `what`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ConfigError(
                f"{folder}: the disk is full; building {what} needs {needed:,} bytes there: free them, or name "
                "another folder with CLAIMWATCH_CACHE"
            ) from error
        raise ConfigError(
            f"{folder}: {what} cannot be built here ({error.strerror}): name another folder with CLAIMWATCH_CACHE"
        ) from error
