"""Locks of one machine's processes: the operating system's, on files, which no kill can leave behind."""

import fcntl
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(file: Path, waiting: Callable[[], None], every: float = 2.0) -> Iterator[None]:
    """Hold the lock; where another process has it, call `waiting` once and take over when that one ends."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as held:
        if not _locked(held.fileno()):
            waiting()
            while not _locked(held.fileno()):
                time.sleep(every)
        yield


@contextmanager
def seat(folder: Path) -> Iterator[Callable[[], int]]:
    """Take a place among this machine's workers; yields how to count the places taken, one's own included."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count():
        with (folder / f"worker-{number}.lock").open("a") as held:
            if _locked(held.fileno()):
                yield lambda: sum(_is_taken(file) for file in folder.glob("worker-*.lock"))
                return


def _is_taken(file: Path) -> bool:
    with file.open("a") as looked:
        return not _locked(looked.fileno())


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
