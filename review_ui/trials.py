"""Sources as the pages may ask about them: forms, faults and trials, handed in; and the trials under way."""

import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from claimwatch.records import Source
from claimwatch.sourceforms import KindForm, Trial

#: Seconds that a trial's result can be looked at.
_KEPT = 1800.0
#: Trials kept, and trials under way, at once.
_MOST, _AT_ONCE = 50, 3


class SourceKinds(Protocol):
    """What the crawlers tell of sources; `jobs` hands it to the pages."""

    def forms(self, language: str) -> tuple[KindForm, ...]:
        """The form of every kind."""
        ...

    def faults(self, source: Source, language: str) -> Mapping[str, str]:
        """What is wrong with a source's settings, by setting; "" is what concerns the whole."""
        ...

    def host(self, source: Source) -> str:
        """The source's host as the rate-limit book names it; "" where its settings are wrong."""
        ...

    def in_words(self, line: str, language: str) -> str:
        """What a crawl noted, for people to read."""
        ...

    def try_out(self, source: Source) -> Trial:
        """Ask the source for its first page and keep nothing. Takes up to a minute."""
        ...


@dataclass(slots=True, kw_only=True)
class Started:
    """One trial of a source as it would be kept."""

    id: str
    user: int
    source: Source
    is_new: bool
    begun: float
    result: "Future[Trial]" = field(default_factory=Future)


class Trials:
    """The trials of this process, each for the account that began it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: dict[str, Started] = {}

    def start(self, user: int, source: Source, *, is_new: bool, ask: Callable[[Source], Trial]) -> str:
        """Try a source in the background; the trial's id, "" while too many are under way."""
        made = Started(id=secrets.token_urlsafe(12), user=user, source=source, is_new=is_new, begun=monotonic())
        with self._lock:
            self._started = {name: one for name, one in self._started.items() if monotonic() - one.begun < _KEPT}
            if sum(not one.result.done() for one in self._started.values()) >= _AT_ONCE:
                return ""
            if len(self._started) >= _MOST:
                del self._started[next(iter(self._started))]
            self._started[made.id] = made
        threading.Thread(target=_settle, args=[made, ask], name="trial", daemon=True).start()
        return made.id

    def get(self, trial: str, user: int) -> Started | None:
        """The account's trial of that id, while it is kept."""
        with self._lock:
            found = self._started.get(trial)
        return found if found and found.user == user else None


def _settle(made: Started, ask: Callable[[Source], Trial]) -> None:
    try:
        made.result.set_result(ask(made.source))
    except Exception as error:  # noqa: BLE001  raised again for whoever looks at the trial
        made.result.set_exception(error)
