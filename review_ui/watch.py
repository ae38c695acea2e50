"""What is wrong with the sources, read at most once a minute for the heads of pages."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger.crawls import Hours
from claimwatch.notices import Notice, read_hours, read_notices

#: Seconds that a count in the head of a page may be old.
_AGE = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """All sources at one moment."""

    notices: Mapping[str, Notice]
    hours: Mapping[str, Hours]


class Watch:
    """Looks at the crawls of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._count: tuple[float, int] | None = None

    def look(self) -> Seen:
        """The notices as they are now."""
        with self._desk.ledger.read() as db:
            hours = read_hours(db, self._desk.now())
            notices = read_notices(db, self._desk.now(), hours)
        self._count = (monotonic(), len(notices))
        return Seen(notices, hours)

    def count(self) -> int:
        """How many notices there are, or were a minute ago; 0 while the ledger does not answer."""
        known = self._count
        if known and monotonic() - known[0] < _AGE:
            return known[1]
        if not self._lock.acquire(blocking=False):
            return known[1] if known else 0
        try:
            return len(self.look().notices)
        except StoreError:
            return 0
        finally:
            self._lock.release()
