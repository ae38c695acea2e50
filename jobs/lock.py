"""One scheduler at a time: an operating-system lock on a file, which no kill can leave behind."""

import fcntl
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


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
