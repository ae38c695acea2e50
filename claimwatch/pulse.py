"""Whether both stores answer, and how much waits in them: asked with patience of seconds, never twice at once."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from claimwatch.desk import Desk
from claimwatch.errors import ClaimwatchError, StoreError
from claimwatch.ledger import decisions
from claimwatch.metrics import REGISTRY, Listed
from claimwatch.records import CardState

LEDGER, POSTS = "ledger", "posts"
#: Seconds a store has to answer before it counts as down.
PATIENCE = 3.0
#: Seconds that figures for Prometheus may be old: many scrapes cost the stores one question.
_AGE = 10.0
_DOCTOR = "see `claimwatch doctor`"
#: A path, an address or a host's name, but not a setting's: what some advice might still hold.
_PLACE = re.compile(r"[/\\@]|(?<!\bstores)\.\w")

_UP = Listed(
    kind="gauge",
    name="claimwatch_store_up",
    labels=("store",),
    help="1 where the store answered within seconds, else 0.",
)
_CARDS = Listed(kind="gauge", name="claimwatch_cards", labels=("state",), help="Cards of the queue in each state.")
_OUTBOX = Listed(
    kind="gauge", name="claimwatch_outbox_waiting", labels=(), help="Decisions not yet carried to the posts store."
)
#: What is read from the stores, for the written list.
STORE_FIGURES = (_UP, _CARDS, _OUTBOX)

_T = TypeVar("_T")


@dataclass
class Question(Generic[_T]):
    """Something asked of a store that may hang: whoever asks meanwhile waits for the same answer."""

    ask: Callable[[], _T]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: "Future[_T] | None" = None

    def answer(self, patience: float) -> _T:
        """The answer, or the store's error; StoreError after so many seconds without either."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                threading.Thread(target=self._settle, args=[self._asked], daemon=True).start()
            asked = self._asked
        try:
            return asked.result(patience)
        except TimeoutError as error:
            raise StoreError(
                f"no answer within {patience:g} s: see whether its server runs and is reachable"
            ) from error

    def _settle(self, asked: "Future[_T]") -> None:
        try:
            asked.set_result(self.ask())
        except Exception as error:  # noqa: BLE001  handed to whoever waits for the answer
            asked.set_exception(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What both stores said at one moment."""

    problems: Mapping[str, str]  #: of the stores that did not answer, with what to do
    outbox: int | None = None
    cards: Mapping[CardState, int] | None = None

    @property
    def is_well(self) -> bool:
        """Whether both answered."""
        return not self.problems


class Pulse:
    """Asks the stores of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._outbox = Question(lambda: _outbox_of(desk))
        self._cards = Question(lambda: _cards_of(desk))
        self._last: tuple[float, Beat] | None = None

    def beat(self, patience: float = PATIENCE, *, age: float = 0.0) -> Beat:
        """Ask both stores, one after the other; or what they said at most `age` seconds ago, where all was well."""
        if self._last and self._last[1].is_well and monotonic() - self._last[0] < age:
            return self._last[1]
        problems: dict[str, str] = {}
        outbox = self._asked(LEDGER, self._outbox, problems, patience)
        cards = self._asked(POSTS, self._cards, problems, patience)
        self._last = (monotonic(), Beat(problems=problems, outbox=outbox, cards=cards))
        return self._last[1]

    def _asked(self, store: str, question: Question[_T], problems: dict[str, str], patience: float) -> _T | None:
        try:
            return question.answer(patience)
        except ClaimwatchError as error:
            problems[store] = advice_of(str(error))
            return None


def store_of(desk: Desk, error: ClaimwatchError) -> str:
    """Which store an error is about, by how its line begins."""
    return LEDGER if str(error).startswith(("the ledger", desk.ledger.place)) else POSTS


def advice_of(line: str) -> str:
    """What a stranger may read of an error's line: its end, what to do. Places, users and hosts stand before that."""
    advice = line.rpartition(": ")[2]
    return _DOCTOR if _PLACE.search(advice) else advice


def registry_of(pulse: Pulse) -> CollectorRegistry:
    """Everything there is to expose: what this process counted, and what its stores say."""
    registry = CollectorRegistry()
    registry.register(REGISTRY)
    registry.register(StoreFigures(pulse))
    return registry


class StoreFigures(Collector):
    """What the stores say, read when somebody scrapes."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def collect(self) -> Iterator[Metric]:
        """The families; those of a store that does not answer are left out, but for `store_up`."""
        beat = self._pulse.beat(age=_AGE)
        up = [((store,), float(store not in beat.problems)) for store in (LEDGER, POSTS)]
        yield _family(_UP, up)
        if beat.cards is not None:
            yield _family(_CARDS, [((state.value,), float(beat.cards.get(state, 0))) for state in CardState])
        if beat.outbox is not None:
            yield _family(_OUTBOX, [((), float(beat.outbox))])


def _family(one: Listed, values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(one.name, one.help, labels=one.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _outbox_of(desk: Desk) -> int:
    with desk.ledger.read() as db:
        return decisions.count_waiting(db)


def _cards_of(desk: Desk) -> Mapping[CardState, int]:
    return desk.posts.count_cards()
